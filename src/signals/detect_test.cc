// What the recognisers find, where exactly, and what they leave alone. Every number and key here
// was made for this test: reserved ranges, example domains, random characters.
#include "signals/detect.h"

#include <gtest/gtest.h>

#include <random>
#include <string>

#include "signals/checksum.h"
#include "signals/detect_fixture.h"

namespace vsr::signals {
namespace {

using fixture::Case;
using fixture::found_in;

TEST(Detect, PersonalData) {
  const Case cases[] = {
      {"Mail jo.roe+x@post.example.org today.", "EMAIL(jo.roe+x@post.example.org)"},
      {"邮箱jo@post.example.org，谢谢", "EMAIL(jo@post.example.org)"},
      {"mailto:jo@example.com", "EMAIL(jo@example.com)"},
      {"Call (202) 555-0143 or +44 7700 900123.", "PHONE((202) 555-0143) PHONE(+44 7700 900123)"},
      {"fax 555-014-0199 x12", "PHONE(555-014-0199 x12)"},
      {"+1-212-555-0139 ext. 44", "PHONE(+1-212-555-0139 ext. 44)"},
      {"手机号13800138000，明天取件", "PHONE(13800138000)"},
      {"打021-55550123找我", "PHONE(021-55550123)"},
      {"138 0013 8000", "PHONE(138 0013 8000)"},
      {"card 4111 1111 1111 1111, exp 09/29", "CARD(4111 1111 1111 1111)"},
      {"number 378282246310005 is mine", "CARD(378282246310005)"},
      {"我的银行卡号是6200000000000005", "BANK_ACCOUNT(6200000000000005)"},
      {"account number 1234567890", "BANK_ACCOUNT(1234567890)"},
      {"IBAN DE89 3704 0044 0532 0130 00.", "IBAN(DE89 3704 0044 0532 0130 00)"},
      {"gb82west12345698765432 is it", "IBAN(gb82west12345698765432)"},
      {"SSN 123-45-6789", "SSN(123-45-6789)"},
      {"social security 123 45 6789", "SSN(123 45 6789)"},
      {"身份证号11010519491231002X。", "CN_ID(11010519491231002X)"},
      {"身份证号110105194912310021", "CN_ID(110105194912310021)"},  // wrong check digit, but named
      {"NHS number 943 476 5919 please", "NHS_NUMBER(943 476 5919)"},
      {"tax id is 12-3456789", "TAX_ID(12-3456789)"},
      {"passport number is X1234567", "PASSPORT(X1234567)"},
      {"护照号码E12345678，持有人", "PASSPORT(E12345678)"},
      {"Driver's license D123-4567-8901", "LICENCE(D123-4567-8901)"},
      {"car with plate BN29 CEB is", "PLATE(BN29 CEB)"},
      {"车牌京A12345停在", "PLATE(京A12345)"},
      {"patient (MRN 00482913)", "MEDICAL_RECORD(MRN 00482913)"},
      {"born on 14 March 1986 in", "DATE_OF_BIRTH(14 March 1986)"},
      {"date of birth: March 14, 1986", "DATE_OF_BIRTH(March 14, 1986)"},
      {"\"dob\": \"1986-03-14\"", "DATE_OF_BIRTH(1986-03-14)"},
      {"1986年3月14日出生", "DATE_OF_BIRTH(1986年3月14日)"},
      {"from 203.0.113.9 and 2001:db8:1::8a2", "IP(203.0.113.9) IP(2001:db8:1::8a2)"},
      {"742 Evergreen Terrace, Springfield", "ADDRESS(742 Evergreen Terrace)"},
      {"Flat 3, 12 Mill Road, Leeds LS1 4AB, UK", "ADDRESS(Flat 3, 12 Mill Road, Leeds LS1 4AB)"},
      {"at 500 Oak Avenue Apt. 4B today", "ADDRESS(500 Oak Avenue Apt. 4B)"},
      {"住在杭州市西湖区文三路533号3栋502室，", "ADDRESS(杭州市西湖区文三路533号3栋502室)"},
      {"My name is Robin Sample.", "PERSON(Robin Sample)"},
      {"Ask Dr. Jane Roe about it", "PERSON(Jane Roe)"},
      {"\"name\": \"Robin Sample\"", "PERSON(Robin Sample)"},
      {"联系人王小明，", "PERSON(王小明)"},
      {"I spoke to Thomas Krüger yesterday about Mrs. Okonkwo.",
       "PERSON(Thomas Krüger) PERSON(Okonkwo)"},
      {"Please email Priyanka Chatterjee and Mohammed Al-Farsi the minutes.",
       "PERSON(Priyanka Chatterjee) PERSON(Mohammed Al-Farsi)"},
      {"Rechnung an Jürgen Müller, Hauptstraße 12, 10115 Berlin",
       "PERSON(Jürgen Müller) ADDRESS(Hauptstraße 12, 10115 Berlin)"},
      {"my colleague Yuki Tanaka lives at 12 Rue de Rivoli, 75001 Paris",
       "PERSON(Yuki Tanaka) ADDRESS(12 Rue de Rivoli, 75001 Paris)"},
      {"Customer: John Smith, 123 Main St, Springfield, IL 62704",
       "PERSON(John Smith) ADDRESS(123 Main St, Springfield, IL 62704)"},
      {"王小明住在北京市朝阳区建国路88号", "PERSON(王小明) ADDRESS(北京市朝阳区建国路88号)"},
      {"I would like to stop messages to 0688 872 49 99", "PHONE(0688 872 49 99)"},
      {"ruf mich an unter 0171 5567812", "PHONE(0171 5567812)"},
      {"meine Nummer ist 0171/5567812", "PHONE(0171/5567812)"},
      {"bel me op 06-12345678", "PHONE(06-12345678)"},
      {"chiamami al 333 1234567", "PHONE(333 1234567)"},
      {"von draußen 0049 171 5567812", "PHONE(0049 171 5567812)"},
      {"order 0171 5567812 was shipped", ""},
      {"llámame al 612 345 678", ""},  // missed, but no address either
      {"my card is 4539.1488.0343.6467", "CARD(4539.1488.0343.6467)"},
      {"please upgrade to Debian 12", ""},
      {"it only fails in Chrome 118", ""},
  };
  for (const Case& c : cases) EXPECT_EQ(found_in(c.text), c.expected) << c.text;
}

// Famous people, products, code and headings are about nobody in particular.
TEST(Detect, NamesThatAreNoPersonalData) {
  const std::string_view texts[] = {
      "Explain Newton's method in plain words.",
      "When did Napoleon die?",
      "Compare Kant with Hegel.",
      "Use Visual Studio Code with Docker Compose on Ubuntu Linux.",
      "How To Write A Good Resume",
      "## Quick Start Guide\n\nInstall Node and run the Setup script.",
      "class Customer extends Person implements Serializable",
      "SELECT Name, City FROM Customers WHERE Country = 'Germany'",
      "Happy New Year! See you on Monday.",
      "What is the capital of Germany?",
      "李白是哪一年出生的？",
      "均值和方差怎么算？谢谢！",
      "高中数学怎么学？",
  };
  for (const std::string_view text : texts) EXPECT_EQ(found_in(text), "") << text;
}

// What stands in a text of 32,000 tokens is found wherever it stands, at its exact place.
TEST(Detect, FindsInLongTextsWhereverItStands) {
  constexpr size_t kBytes = 32'000 * 4;
  constexpr std::string_view kEntities[] = {
      "My name is Thomas Krueger.", "Send it to 12 Mill Road, Leeds LS1 4AB today.",
      "mail jo.roe@post.example.org now.", "key sk_live_123456 is mine.",
      "联系人王小明，电话13800138000。"};
  // Sums and films say nothing about a name in another paragraph.
  const std::string_view filler =
      "How many apples has Anna left? The film about the king was long.\n\n";
  for (const std::string_view entity : kEntities) {
    const std::string alone = found_in(entity);
    ASSERT_NE(alone, "");
    for (const size_t share : {0, 1, 33, 50, 77, 100}) {
      std::string text;
      while (text.size() < kBytes * share / 100) text += filler;
      text += entity;
      text += "\n\n";
      while (text.size() < kBytes) text += filler;
      EXPECT_EQ(found_in(text), alone) << share;
    }
  }
}

TEST(Detect, ManyNamesDoNotHideAKey) {
  std::string text;
  for (size_t i = 0; i < 2 * kEntitiesMax; ++i) text += "My name is Thomas Krueger.\n";
  text += "key sk_live_123456";
  const std::vector<Entity> found = detect_pii(text);
  EXPECT_EQ(found.size(), kEntitiesMax);
  EXPECT_EQ(found.back().type, EntityType::kApiKey);
}

TEST(Detect, SecretsWithAShapeOfTheirOwn) {
  const Case cases[] = {
      {"My API key is sk_live_123456. Is it safe", "API_KEY(sk_live_123456)"},
      {"key rk_test_111111", "API_KEY(rk_test_111111)"},
      {"密钥是 sk_live_123456,可以吗", "API_KEY(sk_live_123456)"},
      {"use ghp_a1B2c3D4e5F6g7H8i9J0k1L2m3N4o5P6q7R8 now",
       "API_KEY(ghp_a1B2c3D4e5F6g7H8i9J0k1L2m3N4o5P6q7R8)"},
      {"key AKIA2B3C4D5E6F7G2H3I can", "API_KEY(AKIA2B3C4D5E6F7G2H3I)"},
      {"把NPM_TOKEN设置为npm_abCD1234efGH5678然后部署", "API_KEY(npm_abCD1234efGH5678)"},
      {"xoxb-1234567890-abcdefGHIJ", "API_KEY(xoxb-1234567890-abcdefGHIJ)"},
      {"SG.abcDEF123456.ghiJKL7890", "API_KEY(SG.abcDEF123456.ghiJKL7890)"},
      {"sk-ant-api03-Ab1_Cd2-Ef3", "API_KEY(sk-ant-api03-Ab1_Cd2-Ef3)"},
      {"bot 123456789:AAbcdefghijklmnopqrstuvwxyz01234567",
       "API_KEY(123456789:AAbcdefghijklmnopqrstuvwxyz01234567)"},
      {"ｓｋ_live_１２３４５６", "API_KEY(ｓｋ_live_１２３４５６)"},
      {"eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl ok",
       "ACCESS_TOKEN(eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl)"},
      {"Authorization: Basic dXNlcjpwYXNzdzByZA==", "ACCESS_TOKEN(dXNlcjpwYXNzdzByZA==)"},
      {"Bearer q7Rt2Lm9Xc4Vb8Nz1Kp5", "ACCESS_TOKEN(q7Rt2Lm9Xc4Vb8Nz1Kp5)"},
      {"postgres://app:Qx7-vanilla-91@db.example.com:5432/ledger ?",
       "CONNECTION_STRING(postgres://app:Qx7-vanilla-91@db.example.com:5432/ledger)"},
      {"https://0123456789abcdef0123456789abcdef@errors.example/7",
       "API_KEY(https://0123456789abcdef0123456789abcdef@errors.example/7)"},
      {"-----BEGIN RSA PRIVATE KEY-----\nMIIBOgIBAAJBAKj34GkxFhD90vcN\n-----END RSA PRIVATE "
       "KEY-----\n",
       "PRIVATE_KEY(-----BEGIN RSA PRIVATE KEY-----\nMIIBOgIBAAJBAKj34GkxFhD90vcN\n"
       "-----END RSA PRIVATE KEY-----)"},
      {"admin:$2y$10$abcdefghijklmnopqrstuuABCDEFGHIJKLMNOPQRSTUVWXYZ01234",
       "PASSWORD($2y$10$abcdefghijklmnopqrstuuABCDEFGHIJKLMNOPQRSTUVWXYZ01234)"},
  };
  for (const Case& c : cases) EXPECT_EQ(found_in(c.text), c.expected) << c.text;
}

TEST(Detect, SecretsBesideASecretWord) {
  const Case cases[] = {
      {"password: Tr0ub4dor&3x.", "PASSWORD(Tr0ub4dor&3x)"},
      {"DB_PASSWORD=kiwi-Lantern-4471\nX=1", "PASSWORD(kiwi-Lantern-4471)"},
      {"password = \"Meihua-7788-xue\"", "PASSWORD(Meihua-7788-xue)"},
      {"The wifi password at our office is BlueHorse!92-stable. Make",
       "PASSWORD(BlueHorse!92-stable)"},
      {"密码是 Lanhua#2087,为什么", "PASSWORD(Lanhua#2087)"},
      {"密码已经改成了“Xk29ab!”吗", "PASSWORD(Xk29ab!)"},
      {"mysql -u root -p'Yq4Lx8!' db", "PASSWORD(Yq4Lx8!)"},
      {"tool --password Zebra-77 run", "PASSWORD(Zebra-77)"},
      {"PIN 4402-8813 and", "PASSWORD(4402-8813)"},
      {"CVV 321", "PASSWORD(321)"},
      {"login admin / oX5TQ2e4#", "PASSWORD(oX5TQ2e4#)"},
      {"{\"password\": \"s3cret-Pot\", \"n\": 1}", "PASSWORD(s3cret-Pot)"},
      {"export MISTRAL_API_KEY=HXT6wxZphBMNzZKKwQe6jqsjTRjtt3z3",
       "SECRET(HXT6wxZphBMNzZKKwQe6jqsjTRjtt3z3)"},
      {"DD_API_KEY: 6ecfd4b91876dcce78699c1576e238ac", "SECRET(6ecfd4b91876dcce78699c1576e238ac)"},
      {"X-API-Key: F0eHiLDUjgnSmYVcUnyGYbBx", "SECRET(F0eHiLDUjgnSmYVcUnyGYbBx)"},
      {"?api_key=NFNwR2APtHKL4WIANK196Ekt&q=tea", "SECRET(NFNwR2APtHKL4WIANK196Ekt)"},
      {"AccountKey=Zx2fFkUrZRd9PhIRa73VUpRNLTe29KLl9fDOrLqNl==;E",
       "SECRET(Zx2fFkUrZRd9PhIRa73VUpRNLTe29KLl9fDOrLqNl==)"},
  };
  for (const Case& c : cases) EXPECT_EQ(found_in(c.text), c.expected) << c.text;
}

TEST(Detect, LooksAlikeAndIsNot) {
  for (const std::string_view text :
       {"sk_live_... is how they start",
        "Detect keys such as sk_live_… in files",
        "ANTHROPIC_API_KEY=sk-ant-xxxxxxxxxxxxxxxx",
        "Authorization: Bearer <YOUR_API_KEY>",
        "api_key: ${API_KEY}",
        "api_key: \"YOUR_API_KEY_HERE\"",
        "password: ********",
        "client = Client(api_key=os.environ[\"SERVICE_KEY\"])",
        "token = getpass.getpass()",
        "process.env.STRIPE_SECRET_KEY is undefined",
        "DB_PASSWORD=changeme",
        "\"token\": null",
        "postgres://user:password@localhost:5432/db",
        "redis://cache.example:6379/0",
        "password must have 12 characters",
        "密码长度至少8位",
        "密码管理器是什么?",
        "密码锁有3位",
        "max_tokens: 4096, next_page_token: CAoQAA1234567890abcdEF",
        "primary key (id)",
        "commit 9fceb02d0ae598e95dc970b74767f19372d61af8",
        "Bearer tokens expire after an hour",
        "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
        "request id 63703075-e2e6-44fe-b8fa-7dbf9d2a7aaa",
        "secretName: db-credentials",
        "-----BEGIN CERTIFICATE-----\nMIIBOgIBAAJBAKj34GkxFhD90vcN\n-----END CERTIFICATE-----",
        "The sk-learn package",
        "task-manager risk-1234567",
        "def f(password: str) -> None:",
        "password = config.database.password",
        "const secret = loadSecret()",
        "order 4829-1173-0056-2210 is late",
        "4111 1111 1111 1112",
        "pi is 3.14159265358979",
        "version 10.4.22.1 fixes it",
        "请升级到10.4.2.1版本后重启",
        "127.0.0.1",
        "numpy==1.26.4.20240115",
        "2031-04-02 10:22:11",
        "date 14 March 1986",
        "CAS number 7732-18-5",
        "1780128900123",
        "ISBN 978-3-16-148410-0",
        "GB82 WEST 1234 5698 7654 33",
        "git@host.example:team/repo.git",
        "icon@2x.png",
        "lodash@4.17.21",
        "@media screen",
        "step 3 Open Drive settings",
        "$3200.67 in the account",
        "12:30:45",
        "a::b::c",
        "std::string::npos",
        "身份证号码一共有多少位",
        "第3章第12节",
        "房间1203，12楼"}) {
    EXPECT_EQ(found_in(text), "") << text;
  }
}

TEST(Detect, KindsAreReadSeparately) {
  const std::string text = "jo@example.com uses sk_live_123456";
  EXPECT_EQ(found_in(text, {.personal = true, .secrets = false}), "EMAIL(jo@example.com)");
  EXPECT_EQ(found_in(text, {.personal = false, .secrets = true}), "API_KEY(sk_live_123456)");
  EXPECT_EQ(found_in("https://me:Hun7er-x@host.example/x", {.personal = true, .secrets = false}),
            "");
}

TEST(Detect, SpansAreOrderedAndApart) {
  std::mt19937 random(7);
  const std::string_view pieces[] = {"jo@example.com",
                                     " ",
                                     "sk_live_123456",
                                     "138 0013 8000",
                                     "密码",
                                     "是",
                                     "Ab12!x",
                                     "password=",
                                     "4111 1111 1111 1111",
                                     ", ",
                                     "号",
                                     "Mr. Jane Roe",
                                     "ｓk_",
                                     "https://a:Bc1dEf2g@h.example",
                                     "\n",
                                     "\xE5"};
  for (int round = 0; round < 2000; ++round) {
    std::string text;
    for (int i = 0; i < 8; ++i) text += pieces[random() % std::size(pieces)];
    uint32_t end = 0;
    for (const Entity& entity : detect_pii(text)) {
      ASSERT_LE(end, entity.start) << text;
      ASSERT_LT(entity.start, entity.end) << text;
      ASSERT_LE(entity.end, text.size()) << text;
      ASSERT_GT(entity.confidence, 0) << text;
      ASSERT_LE(entity.confidence, 1) << text;
      end = entity.end;
    }
  }
}

TEST(Detect, KeepsItsLimit) {
  std::string text;
  for (size_t i = 0; i < kEntitiesMax + 10; ++i) text += "jo@example.com ";
  EXPECT_EQ(detect_pii(text).size(), kEntitiesMax);
}

TEST(Checksum, AcceptsOnlyWhatChecks) {
  EXPECT_TRUE(luhn_valid("4111111111111111"));
  EXPECT_FALSE(luhn_valid("4111111111111112"));
  EXPECT_FALSE(luhn_valid("0000000000000000"));
  EXPECT_TRUE(iban_valid("DE89370400440532013000"));
  EXPECT_FALSE(iban_valid("DE89370400440532013001"));
  EXPECT_FALSE(iban_valid("DE8937040044053201300"));
  EXPECT_TRUE(cn_id_valid("11010519491231002X"));
  EXPECT_TRUE(cn_id_valid("11010519491231002x"));
  EXPECT_FALSE(cn_id_valid("110105194912310021"));
  EXPECT_FALSE(cn_id_valid("11010519491331002X"));
  EXPECT_TRUE(nhs_valid("9434765919"));
  EXPECT_FALSE(nhs_valid("9434765918"));
  EXPECT_TRUE(ssn_valid("123456789"));
  EXPECT_FALSE(ssn_valid("666456789"));
  EXPECT_FALSE(ssn_valid("123006789"));
}

TEST(EntityType, NamesRoundTripInAnyCase) {
  for (size_t i = 0; i < kEntityTypes; ++i) {
    const auto type = static_cast<EntityType>(i);
    EntityType parsed;
    ASSERT_FALSE(to_string(type).empty()) << i;
    ASSERT_TRUE(parse_entity_type(to_string(type), parsed));
    EXPECT_EQ(parsed, type);
  }
  EntityType type;
  EXPECT_TRUE(parse_entity_type("email_address", type));
  EXPECT_EQ(type, EntityType::kEmail);
  EXPECT_FALSE(parse_entity_type("ORGANIZATION", type));
}

}  // namespace
}  // namespace vsr::signals
