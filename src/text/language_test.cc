#include "text/language.h"

#include <gtest/gtest.h>

namespace vsr::text {
namespace {

TEST(Language, Sentences) {
  const struct {
    const char* code;
    const char* text;
  } cases[] = {
      {"en", "Explain how a hash table works and give an example."},
      {"en", "What is 17 * 23? Answer with only the number."},
      {"zh", "请解释一下数据库索引是怎么工作的"},
      {"zh", "用 Python 写一个快速排序"},
      {"de", "Schreibe eine Funktion, die eine Liste sortiert, und erkläre sie mir."},
      {"fr", "Explique-moi comment fonctionne une base de données distribuée."},
      {"es", "¿Cuál es la diferencia entre un proceso y un hilo?"},
      {"pt", "Escreva uma função que ordena uma lista de números e não use bibliotecas."},
      {"it", "Spiega come funziona la memoria cache di un processore."},
      {"nl", "Leg uit hoe een database werkt en geef een voorbeeld van het gebruik."},
      {"ja", "データベースの仕組みを説明してください"},
      {"ko", "데이터베이스가 어떻게 작동하는지 설명해 주세요"},
      {"ru", "Объясни, как работает индекс в базе данных"},
      {"uk", "Поясни, як працює індекс у базі даних і навіщо він потрібний"},
      {"ar", "اشرح كيف تعمل قاعدة البيانات"},
      {"fa", "توضیح دهید که پایگاه داده چگونه کار می‌کند"},
      {"hi", "बताइए कि डेटाबेस कैसे काम करता है"},
      {"el", "Εξήγησε πώς λειτουργεί μια βάση δεδομένων"},
      {"he", "הסבר כיצד פועל מסד נתונים"},
      {"th", "อธิบายว่าฐานข้อมูลทำงานอย่างไร"},
      {"zh", "请修复这段代码：\n```python\nfor item in the_list:\n    print(item)\n```"},
  };
  for (const auto& c : cases) {
    const Language language = detect_language(c.text);
    EXPECT_EQ(language.code, c.code) << c.text;
    EXPECT_GE(language.confidence, 0.5F) << c.text;
    EXPECT_LE(language.confidence, 1.0F) << c.text;
  }
}

TEST(Language, ConfidenceIsHonest) {
  EXPECT_EQ(detect_language("").code, "");
  EXPECT_EQ(detect_language("17 * 23 = ?").confidence, 0);
  EXPECT_EQ(detect_language("kubernetes").code, "en");
  EXPECT_FLOAT_EQ(detect_language("kubernetes").confidence, 0.5F);
  EXPECT_GT(detect_language("What is the difference between the two of them?").confidence, 0.95F);
  // Half of each: neither is certain.
  EXPECT_LT(detect_language("привет мир hello world").confidence, 0.7F);
}

}  // namespace
}  // namespace vsr::text
