// National ids: the forms in which they are written, the check that each must pass, and the words
// that tell one whose form and check alone prove little.

#include <algorithm>
#include <array>
#include <string>

#include "base/strings.h"
#include "signals/national_checks.h"
#include "signals/scan.h"

namespace vsr::signals {
namespace {

// What it takes beside a check that passes.
enum class Needs : uint8_t {
  kNothing,   // date, length and check are enough
  kNoSerial,  // one such number in fifty passes: a word that speaks of orders is against it
  kWord,      // a word that says so
};

struct Form {
  // d: digit, A: letter, ?: either; other characters stand for themselves. What stands before '|'
  // is in front of the first digit.
  std::string_view shape;
  bool (*valid)(std::string_view id);
  Needs needs;
  EntityType type;
  // Any of these, separated by '|'. One in upper case must be so in the text.
  std::string_view words;
};

constexpr EntityType kId = EntityType::kNationalId;
constexpr EntityType kTax = EntityType::kTaxId;

constexpr std::string_view kAr = "cuit|cuil";
constexpr std::string_view kAu = "tfn|tax file";
constexpr std::string_view kBe = "rijksregister|registre national|niss|insz|national register";
constexpr std::string_view kBr = "cpf|cnpj|cadastro";
constexpr std::string_view kCh = "ahv|avs|oasi";
constexpr std::string_view kCl = "rut|RUN";
constexpr std::string_view kDe = "steuer|idnr|identifikationsnummer";
constexpr std::string_view kDk = "cpr|personnummer";
constexpr std::string_view kEs = "dni|nie|nif|documento|identidad";
constexpr std::string_view kFr = "insee|nir|sécurité sociale|securite sociale|sécu";
constexpr std::string_view kGb = "nino|national insurance|ni number|ni no|NI";
constexpr std::string_view kIl = "teudat|ת.ז|תעודת זהות|israeli";
constexpr std::string_view kIn = "aadhaar|aadhar|uidai|आधार";
constexpr std::string_view kIt = "codice fiscale|codicefiscale|c.f.|cf";
constexpr std::string_view kJp = "my number|mynumber|マイナンバー|個人番号";
constexpr std::string_view kKr = "rrn|resident registration|주민등록번호|주민번호";
constexpr std::string_view kMedicare = "medicare";
constexpr std::string_view kMx = "rfc|curp";
constexpr std::string_view kNl = "bsn|burgerservicenummer|sofinummer|sofi";
constexpr std::string_view kNo = "dselsnummer|fodselsnummer|personnummer|fnr";
constexpr std::string_view kPl = "pesel";
constexpr std::string_view kPt = "nif|contribuinte|cartão de cidadão";
constexpr std::string_view kRu = "INN|ИНН|инн";
constexpr std::string_view kSe = "personnummer|personnr|samordningsnummer|pnr";
constexpr std::string_view kSnils = "snils|СНИЛС|снилс";
constexpr std::string_view kTr = "tckn|kimlik|T.C.";
constexpr std::string_view kZa = "south african id|rsa id|sa id";
// For any of them.
constexpr std::string_view kAnyWords =
    "national id|nationalid|national_id|national identification|national identity|"
    "identity number|identity card|identification number|id number|id_number|id card|id no|"
    "personal number|tax id|tax_id|tax number|taxpayer|tin";

constexpr Form kForms[] = {
    {"dd-dddddddd-d", ar_cuit_valid, Needs::kNothing, kTax, kAr},
    {"ddddddddddd", ar_cuit_valid, Needs::kWord, kTax, kAr},
    {"dddd ddddd d", au_medicare_valid, Needs::kNoSerial, kId, kMedicare},
    {"dddd ddddd d/d", au_medicare_valid, Needs::kNoSerial, kId, kMedicare},
    {"dddddddddd", au_medicare_valid, Needs::kWord, kId, kMedicare},
    {"ddd ddd ddd", au_tfn_valid, Needs::kWord, kTax, kAu},
    {"ddddddddd", au_tfn_valid, Needs::kWord, kTax, kAu},
    {"dd.dd.dd-ddd.dd", be_register_valid, Needs::kNothing, kId, kBe},
    {"ddddddddddd", be_register_valid, Needs::kWord, kId, kBe},
    {"dd.ddd.ddd/dddd-dd", br_cnpj_valid, Needs::kNothing, kTax, kBr},
    {"dddddddddddddd", br_cnpj_valid, Needs::kWord, kTax, kBr},
    {"ddd.ddd.ddd-dd", br_cpf_valid, Needs::kNothing, kId, kBr},
    {"ddddddddddd", br_cpf_valid, Needs::kNoSerial, kId, kBr},
    {"ddd ddd ddd dd", br_cpf_valid, Needs::kWord, kId, kBr},
    {"ddddddddd-dd", br_cpf_valid, Needs::kNoSerial, kId, kBr},
    {"ddd.dddd.dddd.dd", ch_ahv_valid, Needs::kNothing, kId, kCh},
    {"ddddddddddddd", ch_ahv_valid, Needs::kNothing, kId, kCh},
    {"dd.ddd.ddd-?", cl_rut_valid, Needs::kNothing, kId, kCl},
    {"d.ddd.ddd-?", cl_rut_valid, Needs::kNothing, kId, kCl},
    {"dddddddd-?", cl_rut_valid, Needs::kWord, kId, kCl},
    {"ddddddd-?", cl_rut_valid, Needs::kWord, kId, kCl},
    {"ddddddddddd", de_tax_valid, Needs::kWord, kTax, kDe},
    {"dd ddd ddd ddd", de_tax_valid, Needs::kWord, kTax, kDe},
    {"dddddd-dddd", dk_cpr_valid, Needs::kNoSerial, kId, kDk},
    {"dddddd-dddd", dk_cpr_shaped, Needs::kWord, kId, kDk},
    {"dddddddddd", dk_cpr_shaped, Needs::kWord, kId, kDk},
    {"ddddddddA", es_dni_valid, Needs::kNoSerial, kId, kEs},
    {"dddddddd-A", es_dni_valid, Needs::kNoSerial, kId, kEs},
    {"dd.ddd.ddd-A", es_dni_valid, Needs::kNothing, kId, kEs},
    {"AdddddddA", es_dni_valid, Needs::kNoSerial, kId, kEs},
    {"A-|ddddddd-A", es_dni_valid, Needs::kNothing, kId, kEs},
    {"dddddd-ddd?", fi_henkilotunnus_valid, Needs::kNothing, kId, "hetu|henkil"},
    {"dddddd+ddd?", fi_henkilotunnus_valid, Needs::kNothing, kId, "hetu|henkil"},
    {"ddddddAddd?", fi_henkilotunnus_valid, Needs::kNothing, kId, "hetu|henkil"},
    {"d dd dd d? ddd ddd dd", fr_nir_valid, Needs::kNothing, kId, kFr},
    {"dddddd?dddddddd", fr_nir_valid, Needs::kNoSerial, kId, kFr},
    {"dddddd?dddddd dd", fr_nir_valid, Needs::kNothing, kId, kFr},
    {"AA |dd dd dd A", gb_nino_valid, Needs::kNothing, kId, kGb},
    {"AA |dddddd A", gb_nino_valid, Needs::kNothing, kId, kGb},
    {"AA-|dd-dd-dd-A", gb_nino_valid, Needs::kNothing, kId, kGb},
    {"AAddddddA", gb_nino_valid, Needs::kWord, kId, kGb},
    {"ddddddddd", il_teudat_zehut_valid, Needs::kWord, kId, kIl},
    {"dddd dddd dddd", in_aadhaar_valid, Needs::kWord, kId, kIn},
    {"dddddddd-d", il_teudat_zehut_valid, Needs::kWord, kId, kIl},
    {"dddd-dddd-dddd", in_aadhaar_valid, Needs::kWord, kId, kIn},
    {"dddddddddddd", in_aadhaar_valid, Needs::kWord, kId, kIn},
    {"AAAAAddddA", in_pan_valid, Needs::kWord, kTax, "PAN|permanent account|income tax"},
    {"AAAAAAddAddAdddA", it_codice_fiscale_valid, Needs::kNothing, kId, kIt},
    {"AAA AAA |ddAdd AdddA", it_codice_fiscale_valid, Needs::kNothing, kId, kIt},
    {"dddd dddd dddd", jp_my_number_valid, Needs::kWord, kId, kJp},
    {"dddd-dddd-dddd", jp_my_number_valid, Needs::kWord, kId, kJp},
    {"dddddddddddd", jp_my_number_valid, Needs::kWord, kId, kJp},
    {"dddddd-ddddddd", kr_rrn_valid, Needs::kNothing, kId, kKr},
    {"ddddddddddddd", kr_rrn_valid, Needs::kWord, kId, kKr},
    {"AAAAddddddAAAAAA?d", mx_curp_valid, Needs::kNothing, kId, kMx},
    {"AAAAdddddd???", mx_rfc_valid, Needs::kNoSerial, kTax, kMx},
    {"AAAdddddd???", mx_rfc_valid, Needs::kWord, kTax, kMx},
    {"AAAA-|dddddd-???", mx_rfc_valid, Needs::kNothing, kTax, kMx},
    {"ddddddddd", nl_bsn_valid, Needs::kWord, kId, kNl},
    {"dddd.dd.ddd", nl_bsn_valid, Needs::kWord, kId, kNl},
    {"ddddddddddd", no_fodselsnummer_valid, Needs::kNothing, kId, kNo},
    {"dddddd ddddd", no_fodselsnummer_valid, Needs::kNothing, kId, kNo},
    {"ddddddddddd", pl_pesel_valid, Needs::kWord, kId, kPl},
    {"ddddddddd", pt_nif_valid, Needs::kWord, kTax, kPt},
    {"ddd ddd ddd", pt_nif_valid, Needs::kWord, kTax, kPt},
    {"dddddddddd", ru_inn_valid, Needs::kWord, kTax, kRu},
    {"dddddddddddd", ru_inn_valid, Needs::kWord, kTax, kRu},
    {"ddd-ddd-ddd dd", ru_snils_valid, Needs::kNothing, kId, kSnils},
    {"ddd-ddd-ddd-dd", ru_snils_valid, Needs::kNothing, kId, kSnils},
    {"ddddddddddd", ru_snils_valid, Needs::kWord, kId, kSnils},
    {"dddddd-dddd", se_personnummer_valid, Needs::kNoSerial, kId, kSe},
    {"dddddd+dddd", se_personnummer_valid, Needs::kNoSerial, kId, kSe},
    {"dddddddddd", se_personnummer_valid, Needs::kWord, kId, kSe},
    // A date and a time look like these two.
    {"dddddddd-dddd", se_personnummer_valid, Needs::kWord, kId, kSe},
    {"dddddddddddd", se_personnummer_valid, Needs::kWord, kId, kSe},
    {"ddddddddddd", tr_tckn_valid, Needs::kNoSerial, kId, kTr},
    {"ddddddddddddd", za_id_valid, Needs::kNothing, kId, kZa},
    {"dddddd dddd ddd", za_id_valid, Needs::kNothing, kId, kZa},
    {"dddddd dddd dd d", za_id_valid, Needs::kNothing, kId, kZa},
};

constexpr size_t kIdBytesMax = 18;
constexpr size_t kAnchorBytesMax = 18;

constexpr bool is_slot(char c) { return c == 'd' || c == 'A' || c == '?'; }

// Where in a shape the run of its first digit begins.
constexpr size_t anchor_of(std::string_view shape) {
  const size_t bar = shape.find('|');
  return bar == std::string_view::npos ? 0 : bar + 1;
}

// The bytes of that run.
constexpr size_t anchor_bytes(std::string_view shape) {
  const size_t start = anchor_of(shape);
  size_t end = start;
  while (end < shape.size() && is_slot(shape[end])) ++end;
  return end - start;
}

// Forms by the length of their first run, chained, and the sign that must follow it: at that most
// numbers of a text end.
struct Chains {
  std::array<uint8_t, kAnchorBytesMax + 1> first{};  // index + 1
  std::array<uint8_t, std::size(kForms)> next{};
  std::array<char, std::size(kForms)> sign{};  // '\0': none
};
static_assert(std::size(kForms) < 255);
constexpr Chains kChains = [] {
  Chains chains;
  for (size_t i = std::size(kForms); i-- > 0;) {
    const std::string_view shape = kForms[i].shape;
    const size_t end = anchor_of(shape) + anchor_bytes(shape);
    if (end < shape.size()) chains.sign[i] = shape[end];
    uint8_t& first = chains.first[anchor_bytes(shape)];
    chains.next[i] = first;
    first = static_cast<uint8_t>(i + 1);
  }
  return chains;
}();

struct Id {
  size_t start = 0;
  size_t end = 0;  // 0: not written so
  std::array<char, kIdBytesMax> bytes;
  size_t count = 0;
  bool lower = false;  // has a letter in lower case
};

// Reads `shape` with its first digits at `anchor`.
Id written_at(std::string_view text, size_t anchor, std::string_view shape) {
  Id id;
  const size_t lead = anchor_of(shape) == 0 ? 0 : anchor_of(shape) - 1;
  if (lead > anchor) return id;
  size_t at = id.start = anchor - lead;
  for (const char slot : shape) {
    if (slot == '|') continue;
    if (at == text.size()) return id;
    const char c = text[at++];
    if (!is_slot(slot)) {
      if (c != slot) return id;
      continue;
    }
    if (!is_any(c, slot == 'd' ? kDigitBit : slot == 'A' ? kLetterBits : kAlnumBits)) return id;
    id.lower = id.lower || is_any(c, kLowerBit);
    id.bytes[id.count++] = is_any(c, kLowerBit) ? static_cast<char>(c - 'a' + 'A') : c;
  }
  id.end = at;
  return id;
}

// Nothing in front of it or behind it makes it a part of something longer.
bool stands_alone(const Scan& scan, const Id& id, std::string_view shape) {
  const char before = scan.before(id.start);
  if (is_word_char(before) || before == '.' || before == '#') return false;
  const bool spaced = shape.find(' ') != std::string_view::npos;
  const char earlier = id.start > 1 ? scan.text[id.start - 2] : '\0';
  if ((before == '-' || before == '/') && is_alnum(earlier)) return false;
  if ((before == ',' || (before == ' ' && spaced)) && is_any(earlier, kDigitBit)) return false;
  const char behind = scan.at(id.end);
  const bool joins = behind == '-' || behind == '.' || behind == '/' || (behind == ' ' && spaced);
  return !is_word_char(behind) && !(joins && is_any(scan.at(id.end + 1), kDigitBit));
}

// True if one of the words, separated by '|', stands in `text` as a word.
bool has_word(std::string_view text, std::string_view words) {
  for (const std::string_view word : split(words, '|')) {
    const bool exact = is_upper(word[0]);
    for (size_t at = 0; at + word.size() <= text.size(); ++at) {
      const std::string_view here = text.substr(at, word.size());
      if (exact ? here != word : !iequals(here, word)) continue;
      const size_t end = at + word.size();
      // A letter beyond ASCII may stand in front: "fødselsnummer". German and Nordic words go on.
      const bool begins = at == 0 || !is_any(text[at - 1], kLetterBits);
      const bool goes_on = end < text.size() && is_any(text[end], kLetterBits);
      if (begins && (!goes_on || word.size() >= 6)) return true;
    }
  }
  return false;
}

bool is_named(std::string_view text, const Id& id, std::string_view words) {
  constexpr size_t kBeforeBytes = 48;
  constexpr size_t kBehindBytes = 24;
  const size_t from = id.start > kBeforeBytes ? id.start - kBeforeBytes : 0;
  const std::string_view before = text.substr(from, id.start - from);
  const std::string_view behind = text.substr(id.end, kBehindBytes);
  return has_word(before, words) || has_word(before, kAnyWords) || has_word(behind, words);
}

// Words that say that the number is of another kind.
bool is_otherwise_named(const Scan& scan, size_t start, size_t end) {
  // Eleven digits from 1 on: a mobile number of China, or one with the code of America.
  if (end - start == 11 && scan.text[start] == '1') return true;
  constexpr size_t kNearBytes = 24;
  return std::ranges::any_of(
      std::array{Topic::kSerial, Topic::kVersion, Topic::kPhone, Topic::kAccount, Topic::kCard},
      [&](Topic topic) { return scan.near(topic, start, kNearBytes); });
}

}  // namespace

size_t read_national_id(Scan& scan, size_t start, size_t run_end) {
  if (run_end - start > kAnchorBytesMax) return 0;
  for (uint8_t i = kChains.first[run_end - start]; i != 0; i = kChains.next[i - 1]) {
    const char sign = kChains.sign[i - 1];
    if (sign != '\0' && sign != scan.at(run_end)) continue;
    const Form& form = kForms[i - 1];
    const Id id = written_at(scan.text, start, form.shape);
    if (id.end == 0 || !stands_alone(scan, id, form.shape)) continue;
    if (!form.valid({id.bytes.data(), id.count})) continue;
    const bool named = is_named(scan.text, id, form.words);
    if (!named) {
      if (form.needs == Needs::kWord || id.lower) continue;
      if (form.needs == Needs::kNoSerial && is_otherwise_named(scan, id.start, id.end)) continue;
    }
    scan.add(form.type, id.start, id.end, named ? 0.95 : form.needs == Needs::kNothing ? 0.9 : 0.6);
    return id.end;
  }
  return 0;
}

}  // namespace vsr::signals
