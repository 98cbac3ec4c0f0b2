#include "signals/lexis.h"

#include <algorithm>

#include "base/strings.h"

namespace vsr::signals {
namespace {

struct TopicWords {
  Topic topic;
  std::string_view words;  // lower case, separated by spaces
};

constexpr TopicWords kWords[] = {
    {Topic::kPhone,
     "phone phones phoneno phonenumber tel telephone mobile cell cellphone call calls calling dial "
     "fax whatsapp sms desk landline ring telefon telefono telefone telefoon telefonnummer handy "
     "handynummer rufnummer mobil mobile mobiel gsm cellulare celular portable "
     "ruf rufe anruf anrufen telefonieren telefonnr appelez appeler rappelle rappelez joindre "
     "chiamami chiama chiamare chiamatemi telefonare bel bellen zadzwoń zadzwon dzwoń dzwon "
     "zadzwonić llámame llamame llamar llámenos llámeme ligue ligar telefonar ringe ringa"},
    {Topic::kCard, "card cards creditcard visa mastercard amex cardnumber"},
    {Topic::kAccount, "account acct accountnumber"},
    {Topic::kSsn, "ssn social"},
    {Topic::kNhs, "nhs"},
    {Topic::kTax, "tax ein tin itin vat utr taxid"},
    {Topic::kPassport, "passport"},
    {Topic::kLicence, "driver drivers driving"},
    {Topic::kPlate, "plate plates registration"},
    {Topic::kBirth, "born dob birth birthday birthdate dateofbirth"},
    {Topic::kMonth,
     "january february march april may june july august september october november december jan "
     "feb mar apr jun jul aug sep sept oct nov dec"},
    {Topic::kMedicalRecord, "mrn"},
    {Topic::kVersion, "version versions build upgrade release firmware"},
    {Topic::kSerial,
     "order orders ticket tracking parcel invoice sku serial isbn request commit timestamp id uuid "
     "job trace nonce port"},
    {Topic::kAddress, "address lives live living located resides visit deliver ship addr"},
    {Topic::kStreet,
     "street st road rd avenue ave lane ln drive dr boulevard blvd close court ct way place pl "
     "terrace crescent square sq parkway pkwy circle highway hwy alley mews row grove gardens"},
    {Topic::kUnit, "apt apartment suite ste unit flat room"},
    {Topic::kPassword,
     "password passwd pwd passphrase pass passcode userpass dbpass rootpass storepass keypass psk "
     "requirepass pgpassword identified securestring "
     // German, Portuguese, Dutch, Finnish, Czech, Norwegian, Danish, Italian and Turkish, Spanish
     // ("contraseña"), French ("mot de passe"), Indonesian; without accents Polish and Turkish.
     "passwort kennwort senha wachtwoord salasana salasanani heslo passord passordet adgangskode "
     "parola contrase passe sandi haslo sifre sifrem"},
    {Topic::kToken,
     "token secret apikey secretkey accesskey authtoken accesstoken sas sig dsn credential "
     "secret_key_base privkey privatekey"},
    {Topic::kKey, "key"},
    {Topic::kForeignKey, "clave chave chiave klucz sleutel nyckel anahtar kunci schluessel"},
    {Topic::kPin, "pin cvv cvc"},
    {Topic::kLogin, "login logins creds credentials zugangsdaten"},
    {Topic::kBearer, "bearer"},
    {Topic::kBasic, "basic"},
    {Topic::kAuthorization, "authorization"},
    {Topic::kAuth, "auth httpbasicauth"},
    {Topic::kSignature, "signature"},
    {Topic::kCookie, "cookie cookies"},
    {Topic::kSession,
     "session session_id sid sessionid phpsessid jsessionid sessid laravel_session"},
    {Topic::kPhrase, "phrase mnemonic"},
    {Topic::kCodes, "code codes"},
    {Topic::kWifi, "wifi wlan"},
    {Topic::kEcho, "echo"},
    {Topic::kUserCommand, "net htpasswd"},
    {Topic::kPutty, "putty"},
    {Topic::kName,
     "name patient customer client employee beneficiary contact agent passenger tenant holder dear "
     "regards cardholder fullname"},
    {Topic::kIntroduction, "llamo chiamo chamo appelle heisse heet heter hedder nazywam jmenuji"},
    {Topic::kHonorific, "mr mrs ms miss dr prof"},
};

constexpr TopicWords kCjkWords[] = {
    {Topic::kPhone, "电话 手机 座机 联系方式 号码是 致电 拨打 热线 传真 電話 携帯 電話番号"},
    {Topic::kCard, "信用卡 储蓄卡 银行卡"},
    {Topic::kAccount, "账号 帐号 卡号 账户 户头 银行卡号"},
    {Topic::kCnId, "身份证 证件号"},
    {Topic::kPassport, "护照"},
    {Topic::kLicence, "驾驶证 驾照"},
    {Topic::kPlate, "车牌"},
    {Topic::kBirth, "出生 生日 生于"},
    {Topic::kVersion, "版本 升级到"},
    {Topic::kSerial, "订单 单号 编号 工单 流水号 发票"},
    {Topic::kAddress, "地址 住址 住在 寄到 寄给 家住 收货"},
    {Topic::kPassword, "密码 口令 密碼"},
    {Topic::kToken, "密钥 令牌 私钥 秘钥 凭证 金鑰"},
    {Topic::kPhrase, "助记词 助憶詞"},
    {Topic::kName, "姓名 联系人 收件人 持有人 户名 客户 患者 我叫 名叫 当事人 病人 员工"},
};

// Words of other scripts, and the rest of Latin words from their first accent on. A first letter
// that has two cases is left out.
struct ForeignWord {
  std::string_view before;  // ASCII letters in front
  std::string_view word;
  Topic topic;
};
constexpr ForeignWord kForeignWords[] = {
    {"", "ароль", Topic::kPassword},       {"", "аролю", Topic::kPassword},
    {"", "аролем", Topic::kPassword},      {"", "ароля", Topic::kPassword},
    {"has", "ło", Topic::kPassword},       {"l", "ösenord", Topic::kPassword},
    {"", "şifre", Topic::kPassword},       {"", "Şifre", Topic::kPassword},
    {"jelsz", "ó", Topic::kPassword},      {"m", "ật khẩu", Topic::kPassword},
    {"", "パスワード", Topic::kPassword},  {"", "暗証番号", Topic::kPassword},
    {"", "비밀번호", Topic::kPassword},    {"", "비번", Topic::kPassword},
    {"", "패스워드", Topic::kPassword},    {"", "كلمة المرور", Topic::kPassword},
    {"", "كلمة مرور", Topic::kPassword},   {"", "كلمة السر", Topic::kPassword},
    {"", "الرقم السري", Topic::kPassword}, {"", "पासवर्ड", Topic::kPassword},
    {"", "รหัสผ่าน", Topic::kPassword},      {"", "סיסמ", Topic::kPassword},
    {"", "κωδικ", Topic::kPassword},       {"", "キー", Topic::kForeignKey},
    {"", "키", Topic::kForeignKey},        {"", "ключ", Topic::kForeignKey},
    {"chl", "üssel", Topic::kForeignKey},  {"cl", "é", Topic::kForeignKey},
    {"n", "øgle", Topic::kForeignKey},     {"kh", "óa", Topic::kForeignKey},
    {"", "مفتاح", Topic::kForeignKey},     {"", "कुंजी", Topic::kForeignKey},
};

// By the first two bytes of a word whether one of them can start there.
constexpr size_t kForeignPairs = 4096;
constexpr size_t foreign_pair(char a, char b) {
  return static_cast<size_t>((a & 0x3F) << 6 | (b & 0x3F));
}
constexpr std::array<bool, kForeignPairs> kForeignFirst = [] {
  std::array<bool, kForeignPairs> first{};
  for (const ForeignWord& word : kForeignWords)
    first[foreign_pair(word.word[0], word.word[1])] = true;
  return first;
}();

constexpr size_t kBuckets = 1024;
constexpr size_t kEntriesMax = 512;
constexpr size_t kWordBytesMax = 16;

uint32_t bucket_of(std::string_view word) {
  uint32_t hash = static_cast<uint32_t>(word.size());
  for (const char c : word) hash = (hash ^ static_cast<uint8_t>(c)) * 0x01000193U;
  return (hash ^ (hash >> 15)) % kBuckets;
}

// The words by hash, with chains through `next`: built once, read by all threads.
struct WordTable {
  struct Entry {
    std::string_view word;
    Topic topic;
    uint16_t next;
  };
  std::array<uint16_t, kBuckets> heads{};  // index + 1
  std::array<Entry, kEntriesMax> entries{};
  // By first letter the lengths that occur, as bits: most words end here.
  std::array<uint32_t, 26> lengths{};

  WordTable() {
    uint16_t count = 0;
    for (const TopicWords& group : kWords) {
      for (const std::string_view word : split(group.words, ' ')) {
        if (count == kEntriesMax) return;
        const uint32_t bucket = bucket_of(word);
        entries[count] = {word, group.topic, heads[bucket]};
        heads[bucket] = ++count;
        lengths[static_cast<size_t>(word[0] - 'a')] |= 1U << word.size();
      }
    }
  }
};

const WordTable& word_table() {
  static const WordTable table;
  return table;
}

struct CjkEntry {
  std::string_view word;
  Topic topic;
};

// Sorted by the first character's three bytes; within one, longest first.
const std::vector<CjkEntry>& cjk_table() {
  static const std::vector<CjkEntry> table = [] {
    std::vector<CjkEntry> entries;
    for (const TopicWords& group : kCjkWords) {
      for (const std::string_view word : split(group.words, ' ')) {
        entries.push_back({word, group.topic});
      }
    }
    std::ranges::sort(entries, [](const CjkEntry& a, const CjkEntry& b) {
      const std::string_view first_a = a.word.substr(0, 3);
      const std::string_view first_b = b.word.substr(0, 3);
      return first_a != first_b ? first_a < first_b : a.word.size() > b.word.size();
    });
    return entries;
  }();
  return table;
}

// One bit per last byte pair of a first character: a filter in front of the search.
const std::array<bool, 4096>& cjk_first() {
  static const std::array<bool, 4096> filter = [] {
    std::array<bool, 4096> bits{};
    for (const CjkEntry& entry : cjk_table()) {
      bits[((entry.word[1] & 0x3F) << 6) | (entry.word[2] & 0x3F)] = true;
    }
    return bits;
  }();
  return filter;
}

}  // namespace

Topic topic_of_word(std::string_view word) {
  if (word.empty() || word.size() > kWordBytesMax || !is_any(word[0], kLetterBits)) {
    return Topic::kNone;
  }
  const WordTable& table = word_table();
  const auto letter = static_cast<size_t>(ascii_lower(word[0]) - 'a');
  if ((table.lengths[letter] >> word.size() & 1) == 0) return Topic::kNone;
  std::array<char, kWordBytesMax> lower;
  for (size_t i = 0; i < word.size(); ++i) lower[i] = ascii_lower(word[i]);
  const std::string_view key(lower.data(), word.size());
  for (uint16_t i = table.heads[bucket_of(key)]; i != 0; i = table.entries[i - 1].next) {
    if (table.entries[i - 1].word == key) return table.entries[i - 1].topic;
  }
  return Topic::kNone;
}

TopicAt topic_at_cjk(std::string_view text) {
  if (text.size() < 6) return {};
  if (!cjk_first()[((text[1] & 0x3F) << 6) | (text[2] & 0x3F)]) return {};
  const std::vector<CjkEntry>& table = cjk_table();
  const std::string_view first = text.substr(0, 3);
  auto it = std::ranges::lower_bound(table, first, {},
                                     [](const CjkEntry& e) { return e.word.substr(0, 3); });
  for (; it != table.end() && it->word.substr(0, 3) == first; ++it) {
    if (text.starts_with(it->word)) return {it->topic, static_cast<uint32_t>(it->word.size())};
  }
  return {};
}

TopicAt topic_at_foreign(std::string_view text, size_t at) {
  if (at + 1 >= text.size() || !kForeignFirst[foreign_pair(text[at], text[at + 1])]) return {};
  const std::string_view rest = text.substr(at);
  for (const ForeignWord& known : kForeignWords) {
    if (!rest.starts_with(known.word)) continue;
    const size_t lead = known.before.size();
    if (lead > at || !iequals(text.substr(at - lead, lead), known.before)) continue;
    return {known.topic, static_cast<uint32_t>(known.word.size())};
  }
  return {};
}

int month_of(std::string_view word) {
  constexpr std::array<std::string_view, 12> kMonths = {
      "january", "february", "march",     "april",   "may",      "june",
      "july",    "august",   "september", "october", "november", "december"};
  if (word.size() < 3) return 0;
  for (size_t i = 0; i < kMonths.size(); ++i) {
    const std::string_view month = kMonths[i];
    if (word.size() > month.size() || !iequals(word, month.substr(0, word.size()))) continue;
    if (word.size() == 3 || word.size() == month.size() || iequals(word, "sept")) {
      return static_cast<int>(i) + 1;
    }
  }
  return 0;
}

}  // namespace vsr::signals
