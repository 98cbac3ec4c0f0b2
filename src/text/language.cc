#include "text/language.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <string>

#include "text/normalize.h"
#include "text/script.h"
#include "text/utf8.h"
#include "text/words.h"

namespace vsr::text {
namespace {

// One language of the Latin script. `words` are function words and words that open requests,
// separated by single spaces and surrounded by spaces; `letters` are those it has and English has
// not. A word that several languages share counts for each of them.
struct LatinProfile {
  std::string_view code;
  std::string_view words;
  std::u32string_view letters;
};

constexpr auto kLatin = std::to_array<LatinProfile>({
    {"en",
     " the a an of to in is are was were be been and or not for on with as by at from that this "
     "these those it its i you he she we they my your his her our their me him them what which who "
     "how when where why can could would should will do does did have has had if then than but so "
     "because about into please write explain give make find tell show create list use there any "
     "all some between using following most many more i'm it's don't what's let's help need want "
     "just like get up out no ",
     U""},
    {"de",
     " der die das den dem des ein eine einen einem einer eines und oder nicht ist sind war waren "
     "wird werden wurde hat haben hatte mit für von vom zu zum zur auf aus bei nach über unter im "
     "in am an als auch wie was wer wann wo warum welche welcher welches ich du er sie es wir ihr "
     "mein meine dein deine sein seine kann können soll sollte muss bitte schreibe schreib erkläre "
     "gib mir mich dir zwischen durch ohne um dass wenn weil aber noch nur sich so man gibt eines "
     "entwirf erstelle kannst beweise implementiere baue ",
     U"äöü"},
    {"fr",
     " le la les l un une des du de d et ou ne pas est sont était être a ont avec pour par sur "
     "dans "
     "en au aux que qui quoi dont où quand comment pourquoi quel quelle quels quelles je tu il "
     "elle "
     "nous vous ils elles mon ma mes ton ta tes son sa ses notre votre leur ce cet cette ces se "
     "plus mais si comme entre sans sous écris explique donne fais crée s'il peux peut moi est-ce "
     "c'est qu'est-ce décris montre conçois ",
     U"àâçéèêëîïôûùœ"},
    {"es",
     " el la los las un una unos unas de del al y o no es son era ser está están fue con para por "
     "en sobre que qué quién cómo cuándo dónde cuál cuáles por porque yo tú él ella nosotros ellos "
     "mi mis tu tus su sus se lo le les me te nos más pero si como entre sin hasta desde este esta "
     "estos estas ese esa hay escribe explica dame haz crea puedes puede hola muy ha diseña "
     "implementa ",
     U"áéíñóúü¿¡"},
    {"pt",
     " o a os as um uma uns umas de do da dos das no na nos nas ao à e ou não é são era ser está "
     "foi com para por pelo pela em sobre que quem como quando onde qual quais porque eu tu ele "
     "ela "
     "nós eles você vocês meu minha seu sua seus suas se lhe me mais mas entre sem até desde este "
     "esta isso esse essa há escreva explique dê faça crie pode olá muito projete implemente ",
     U"ãõçáâàéêíóôú"},
    {"it",
     " il lo la i gli le un uno una di del della dello dei degli delle da dal dalla al alla allo "
     "ai "
     "agli alle nel nella nei e o non è sono era essere ha hanno con per su sul sulla in che chi "
     "cosa come quando dove perché quale quali io tu lui lei noi voi loro mio mia tuo tua suo sua "
     "si mi ti ci vi più ma se tra fra senza questo questa questi queste scrivi spiega dammi fai "
     "crea puoi può ciao molto c'è anche ",
     U"àèéìòù"},
    {"nl",
     " de het een en of niet is zijn was waren wordt worden heeft hebben had met voor van te tot "
     "op "
     "uit bij naar over onder in aan als ook hoe wat wie wanneer waar waarom welke ik jij je hij "
     "zij ze wij we jullie mijn jouw kan kunnen moet schrijf leg geef maak tussen door zonder om "
     "dat dit die deze maar nog er alsjeblieft ",
     U"ëï"},
});

constexpr float kWordWeight = 1.0F;
constexpr float kLetterWeight = 0.6F;
constexpr float kNoEvidence = 0.5F;  // confidence of "en" without a known word

bool has_word(std::string_view list, std::string_view word) {
  // The lists are short and this runs once per word, on at most kLanguageBytesMax bytes.
  for (size_t at = list.find(word); at != std::string_view::npos; at = list.find(word, at + 1)) {
    if (list[at - 1] == ' ' && list[at + word.size()] == ' ') return true;
  }
  return false;
}

struct Counts {
  std::array<float, kScripts> script{};  // characters
  float ukrainian = 0;                   // і ї є ґ
  float russian = 0;                     // ы э ё ъ
  float persian = 0;                     // پ چ ژ گ
  std::array<float, kLatin.size()> latin{};
  float& of(Script s) { return script[static_cast<size_t>(s)]; }
};

void count_character(char32_t c, Counts& counts) {
  const Script script = script_of(c);
  counts.of(script) += 1;
  if (script == Script::kCyrillic) {
    if (c == U'і' || c == U'ї' || c == U'є' || c == U'ґ') counts.ukrainian += 1;
    if (c == U'ы' || c == U'э' || c == U'ё' || c == U'ъ') counts.russian += 1;
  } else if (script == Script::kArabic) {
    if (c == U'پ' || c == U'چ' || c == U'ژ' || c == U'گ') counts.persian += 1;
  } else if (c >= 0xA1 && (script == Script::kLatin || script == Script::kCommon)) {
    for (size_t i = 0; i < kLatin.size(); ++i) {
      if (kLatin[i].letters.contains(c)) counts.latin[i] += kLetterWeight;
    }
  }
}

// Text outside ``` fences, at most kLanguageBytesMax bytes, normalised. When there is nothing but
// code, the code.
std::string prose_of(std::string_view text) {
  std::string prose;
  bool inside = false;
  for (size_t at = 0; at < text.size() && prose.size() < kLanguageBytesMax;) {
    const size_t fence = std::min(text.find("```", at), text.size());
    if (!inside) prose.append(text.substr(at, std::min(fence - at, kLanguageBytesMax)));
    inside = !inside;
    at = fence + 3;
  }
  std::string_view chosen = prose;
  if (prose.find_first_not_of(" \t\r\n") == std::string::npos) chosen = text;
  return normalized(chosen.substr(0, floor_code_point(chosen, kLanguageBytesMax)));
}

Language among_latin(const Counts& counts) {
  const auto& score = counts.latin;
  const auto best = std::ranges::max_element(score) - score.begin();
  if (score[best] == 0) return {"en", kNoEvidence};
  float second = 0;
  for (size_t i = 0; i < score.size(); ++i) {
    if (static_cast<ptrdiff_t>(i) != best) second = std::max(second, score[i]);
  }
  // The lead, in words; two words of lead are near certain.
  const float lead = score[best] - second;
  return {kLatin[best].code, 1 - 0.5F * std::exp(-lead)};
}

Language among_scripts(Counts& counts) {
  const float han = counts.of(Script::kHan);
  const float kana = counts.of(Script::kKana);
  // A CJK character says about as much as three letters of an alphabet.
  const std::array<std::pair<float, std::string_view>, 9> weights{{
      {counts.of(Script::kLatin), "en"},
      {3 * (han + kana), kana * 8 > han ? "ja" : "zh"},
      {2 * counts.of(Script::kHangul), "ko"},
      {counts.of(Script::kCyrillic), counts.ukrainian > counts.russian ? "uk" : "ru"},
      {counts.of(Script::kArabic), counts.persian > 0 ? "fa" : "ar"},
      {counts.of(Script::kDevanagari), "hi"},
      {counts.of(Script::kGreek), "el"},
      {counts.of(Script::kHebrew), "he"},
      {counts.of(Script::kThai), "th"},
  }};
  float total = 0;
  auto best = weights[0];
  for (const auto& weight : weights) {
    total += weight.first;
    if (weight.first > best.first) best = weight;
  }
  if (total == 0) return {};
  const float share = best.first / total;
  if (best.second != "en") return {best.second, share};
  const Language latin = among_latin(counts);
  return {latin.code, latin.confidence * share};
}

}  // namespace

Language detect_language(std::string_view text) {
  const std::string prose = prose_of(text);
  Counts counts;
  for (size_t at = 0; at < prose.size();) count_character(next_code_point(prose, at), counts);
  if (counts.of(Script::kLatin) > 0) {
    for_each_word(prose, [&](const Word& word) {
      if (word.cjk) return;
      for (size_t i = 0; i < kLatin.size(); ++i) {
        if (has_word(kLatin[i].words, word.text)) counts.latin[i] += kWordWeight;
      }
    });
  }
  return among_scripts(counts);
}

}  // namespace vsr::text
