// National ids: numbers that are published as examples, numbers made up with the check digits of
// their country, and what looks like them and is not.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <string>

#include "signals/detect_fixture.h"
#include "signals/national_checks.h"

namespace vsr::signals {
namespace {

// Without names and streets.
std::string found_in(std::string_view text) {
  return fixture::found_in(text, {}, [text](const Entity& entity) -> std::string {
    if (entity.type == EntityType::kPerson || entity.type == EntityType::kAddress) return {};
    return fmt::format("{}({})", to_string(entity.type),
                       text.substr(entity.start, entity.end - entity.start));
  });
}

using Check = bool (*)(std::string_view id);

TEST(NationalChecks, AcceptPublishedExamplesAndNoOtherCheckDigit) {
  struct Case {
    std::string_view country;
    Check valid;
    std::string_view id;
    size_t check;  // where its last check digit or letter stands
  };
  const Case cases[] = {
      {"AR", ar_cuit_valid, "20123456786", 10},
      {"AU Medicare", au_medicare_valid, "2123456701", 8},
      {"AU TFN", au_tfn_valid, "123456782", 8},
      {"BE", be_register_valid, "85073003328", 10},
      {"BE, born after 1999", be_register_valid, "17073003384", 10},
      {"BR CNPJ", br_cnpj_valid, "11222333000181", 13},
      {"BR CPF", br_cpf_valid, "11144477735", 10},
      {"CH", ch_ahv_valid, "7569217076985", 12},
      {"CL", cl_rut_valid, "123456785", 8},
      {"DE", de_tax_valid, "86095742719", 10},
      {"DK", dk_cpr_valid, "0707614285", 9},
      {"ES", es_dni_valid, "12345678Z", 8},
      {"ES NIE", es_dni_valid, "X1234567L", 8},
      {"FI", fi_henkilotunnus_valid, "131052308T", 9},
      {"FR", fr_nir_valid, "255081416802538", 14},
      {"IL", il_teudat_zehut_valid, "123456782", 8},
      {"IN Aadhaar", in_aadhaar_valid, "234123412346", 11},
      {"IT", it_codice_fiscale_valid, "RSSMRA85T10A562S", 15},
      {"JP", jp_my_number_valid, "123456789018", 11},
      {"MX CURP", mx_curp_valid, "HEGG560427MVZRRL04", 17},
      {"MX RFC", mx_rfc_valid, "GODE561231GR8", 12},
      {"NL", nl_bsn_valid, "111222333", 8},
      {"PL", pl_pesel_valid, "44051401359", 10},
      {"PT", pt_nif_valid, "123456789", 8},
      {"RU INN", ru_inn_valid, "7707083893", 9},
      {"RU INN of a person", ru_inn_valid, "500100732259", 11},
      {"RU SNILS", ru_snils_valid, "11223344595", 10},
      {"SE", se_personnummer_valid, "8112289874", 9},
      {"TR", tr_tckn_valid, "10000000146", 10},
      {"ZA", za_id_valid, "8001015009087", 12},
  };
  for (const Case& c : cases) {
    EXPECT_TRUE(c.valid(c.id)) << c.country;
    std::string other(c.id);
    const bool letter = other[c.check] >= 'A';
    for (char check = letter ? 'A' : '0'; check <= (letter ? 'Z' : '9'); ++check) {
      other[c.check] = check;
      EXPECT_EQ(c.valid(other), check == c.id[c.check]) << c.country << " " << other;
    }
  }
}

// Ids of one country without their check digits, completed by trying: the one that passes.
TEST(NationalChecks, GiveEveryNumberOneCheckDigit) {
  struct Case {
    std::string_view country;
    Check valid;
    std::string_view front;
    size_t digits;  // of the check
    // Without a number for some fronts: the check would be 10.
    bool may_have_none = false;
  };
  const Case cases[] = {
      {"BR CPF", br_cpf_valid, "31415926", 2},
      {"BR CNPJ", br_cnpj_valid, "27182818000", 2},
      {"BE", be_register_valid, "90020314", 2},
      {"FR", fr_nir_valid, "199037511604", 2},
      {"RU SNILS", ru_snils_valid, "08765430", 2},
      {"NO", no_fodselsnummer_valid, "01019049", 2, true},
      {"TR", tr_tckn_valid, "48302716", 2},
      {"KR", kr_rrn_valid, "92011310642", 1},
      {"PL", pl_pesel_valid, "920113064", 1},
      {"CH", ch_ahv_valid, "75648103927", 1},
      {"ZA", za_id_valid, "92011350640", 1},
      {"SE", se_personnummer_valid, "92011306", 1},
      {"IN Aadhaar", in_aadhaar_valid, "5830271649", 1},
      {"IL", il_teudat_zehut_valid, "3027164", 1},
      {"JP", jp_my_number_valid, "4830271649", 1},
  };
  for (const Case& c : cases) {
    // The last digit of the front goes from 0 to 9, so that all rests come up.
    for (char last = '0'; last <= '9'; ++last) {
      const std::string front = std::string(c.front) + last;
      int passes = 0;
      const int checks = c.digits == 2 ? 100 : 10;
      for (int check = 0; check < checks; ++check) {
        passes += c.valid(fmt::format("{}{:0{}}", front, check, c.digits)) ? 1 : 0;
      }
      EXPECT_TRUE(passes == 1 || (c.may_have_none && passes == 0) ||
                  (c.valid == be_register_valid && passes == 2))  // of two centuries
          << c.country << " " << front << " " << passes;
    }
  }
}

struct Case {
  std::string_view text;
  std::string_view expected;
};

TEST(NationalIds, AreFoundAsTheyAreWritten) {
  const Case cases[] = {
      {"Mi DNI es 12345678Z, gracias", "NATIONAL_ID(12345678Z)"},
      {"Quiero cambiar el 12345678Z", "NATIONAL_ID(12345678Z)"},
      {"dni 12345678z", "NATIONAL_ID(12345678z)"},
      {"con NIF 12.345.678-Z", "NATIONAL_ID(12.345.678-Z)"},
      {"NIE X1234567L", "NATIONAL_ID(X1234567L)"},
      {"el X-1234567-L caduca", "NATIONAL_ID(X-1234567-L)"},
      {"meu CPF é 111.444.777-35", "NATIONAL_ID(111.444.777-35)"},
      {"111.444.777-35 e 52998224725", "NATIONAL_ID(111.444.777-35) NATIONAL_ID(52998224725)"},
      {"a empresa 11.222.333/0001-81 faturou", "TAX_ID(11.222.333/0001-81)"},
      {"codice fiscale: RSSMRA85T10A562S", "NATIONAL_ID(RSSMRA85T10A562S)"},
      {"Sono RSSMRA85T10A562S.", "NATIONAL_ID(RSSMRA85T10A562S)"},
      {"RSS MRA 85T10 A562S", "NATIONAL_ID(RSS MRA 85T10 A562S)"},
      {"Mój PESEL to 44051401359", "NATIONAL_ID(44051401359)"},
      {"Mijn BSN is 111222333", "NATIONAL_ID(111222333)"},
      {"111222333 (burgerservicenummer)", "NATIONAL_ID(111222333)"},
      {"Mitt personnummer är 811228-9874", "NATIONAL_ID(811228-9874)"},
      {"född 811228-9874", "NATIONAL_ID(811228-9874)"},
      {"personnummer 198112289874", "NATIONAL_ID(198112289874)"},
      {"my national insurance number is AB123456C", "NATIONAL_ID(AB123456C)"},
      {"quote AB 12 34 56 C on the form", "NATIONAL_ID(AB 12 34 56 C)"},
      {"My TFN is 123 456 782", "TAX_ID(123 456 782)"},
      {"Medicare card 2123 45670 1", "NATIONAL_ID(2123 45670 1)"},
      {"주민등록번호는 920113-1064219 입니다", "NATIONAL_ID(920113-1064219)"},
      {"ИНН 7707083893", "TAX_ID(7707083893)"},
      {"мой СНИЛС 112-233-445 95", "NATIONAL_ID(112-233-445 95)"},
      {"Meine Steuer-ID lautet 86095742719", "TAX_ID(86095742719)"},
      {"Steueridentifikationsnummer: 86 095 742 719", "TAX_ID(86 095 742 719)"},
      {"AHV-Nr. 756.9217.0769.85", "NATIONAL_ID(756.9217.0769.85)"},
      {"My PAN is ABCPE1234F", "TAX_ID(ABCPE1234F)"},
      {"Aadhaar: 2341 2341 2346", "NATIONAL_ID(2341 2341 2346)"},
      {"Medicare number: 2123 45670 1/1", "NATIONAL_ID(2123 45670 1/1)"},
      {"teudat zehut: 12345678-2", "NATIONAL_ID(12345678-2)"},
      {"{\"nationalId\": \"12345678Z\"}", "NATIONAL_ID(12345678Z)"},
      {"tfn,123456782", "TAX_ID(123456782)"},
      {"CPF n.º 111 444 777 35", "NATIONAL_ID(111 444 777 35)"},
      {"ni no AB123456C", "NATIONAL_ID(AB123456C)"},
      {"マイナンバーは123456789018です", "NATIONAL_ID(123456789018)"},
      {"個人番号 1234 5678 9018", "NATIONAL_ID(1234 5678 9018)"},
      {"numéro de sécurité sociale 2 55 08 14 168 025 38", "NATIONAL_ID(2 55 08 14 168 025 38)"},
      {"le 255081416802538", "NATIONAL_ID(255081416802538)"},
      {"Rijksregisternummer 85.07.30-033.28", "NATIONAL_ID(85.07.30-033.28)"},
      {"Mit CPR-nummer er 070761-4285", "NATIONAL_ID(070761-4285)"},
      {"hetu 131052-308T", "NATIONAL_ID(131052-308T)"},
      {"O meu NIF é 123456789", "TAX_ID(123456789)"},
      {"CURP HEGG560427MVZRRL04 y RFC GODE561231GR8",
       "NATIONAL_ID(HEGG560427MVZRRL04) TAX_ID(GODE561231GR8)"},
      {"CUIT 20-12345678-6", "TAX_ID(20-12345678-6)"},
      {"mi RUT es 12.345.678-5", "NATIONAL_ID(12.345.678-5)"},
      {"rut 12345678-5", "NATIONAL_ID(12345678-5)"},
      {"מספר תעודת זהות 123456782", "NATIONAL_ID(123456782)"},
      {"T.C. kimlik numaram 10000000146", "NATIONAL_ID(10000000146)"},
      {"My South African ID is 8001015009087", "NATIONAL_ID(8001015009087)"},
      {"{\"cpf\":\"11144477735\"}", "NATIONAL_ID(11144477735)"},
  };
  for (const Case& c : cases) EXPECT_EQ(found_in(c.text), c.expected) << c.text;
}

// Norway and Korea: made up here, with the digits that pass.
TEST(NationalIds, AreFoundWithComputedDigits) {
  const auto complete = [](Check valid, std::string front, int digits) {
    for (int check = 0; check < (digits == 2 ? 100 : 10); ++check) {
      std::string id = fmt::format("{}{:0{}}", front, check, digits);
      if (valid(id)) return id;
    }
    return std::string();
  };
  const std::string norwegian = complete(no_fodselsnummer_valid, "010190491", 2);
  ASSERT_EQ(norwegian.size(), 11U);
  EXPECT_EQ(found_in("Mitt fødselsnummer er " + norwegian), "NATIONAL_ID(" + norwegian + ")");
  EXPECT_EQ(found_in("se " + norwegian), "NATIONAL_ID(" + norwegian + ")");
  std::string korean = complete(kr_rrn_valid, "920113106421", 1);
  ASSERT_EQ(korean.size(), 13U);
  EXPECT_EQ(found_in("주민등록번호 " + korean), "NATIONAL_ID(" + korean + ")");
  korean.insert(6, "-");
  EXPECT_EQ(found_in("제 번호는 " + korean), "NATIONAL_ID(" + korean + ")");
}

TEST(NationalIds, LeavesLookAlikes) {
  const std::string_view texts[] = {
      // Wrong check digits.
      "DNI 12345678A",
      "CPF 111.444.777-36",
      "CNPJ 11.222.333/0001-82",
      "codice fiscale RSSMRA85T10A562T",
      "PESEL 44051401358",
      "주민등록번호 920113-1064218",
      "BSN 111222334",
      "personnummer 811228-9875",
      "TFN 123 456 783",
      "INN 7707083894",
      "СНИЛС 112-233-445 96",
      "Steuer-ID 86095742718",
      "AHV 756.9217.0769.86",
      "Aadhaar 2341 2341 2347",
      "マイナンバー 123456789017",
      "NIR 2 55 08 14 168 025 39",
      "85.07.30-033.29",
      "hetu 131052-308U",
      "NIF 123456788",
      "CURP HEGG560427MVZRRL05",
      "CUIT 20-12345678-7",
      "RUT 12.345.678-6",
      "תעודת זהות 123456783",
      "kimlik 10000000147",
      "South African ID 8001015009088",
      // Never issued.
      "national insurance number QQ 12 34 56 C",
      "CPF 111.111.111-11",
      // Weak numbers that nothing names.
      "The part 111222333 is in stock",
      "Take 123456782 of them",
      "see 44051401359 below",
      "2341 2341 2346",
      "1234 5678 9018 in three columns",
      "item 11222333000181",
      "model AB123456C",
      "plan ABCPE1234F",
      "7707083893 rows",
      "20240115-1230.log",
      "123456789018 bytes",
      // Orders and other numbers.
      "Order 12345678Z was shipped",
      "order 11144477735 is late",
      "Ticket 10000000146",
      "commit 255081416802538ab",
      "order 255081416802538",
      "1700000000000 is a timestamp",
      "2024-01-15 12:30:45.123456789",
      "v12.345.678-5-beta",
      "https://shop.example/p/12345678Z/11144477735",
      "550e8400-e29b-41d4-a716-123456789018",
      "The price is 12,345,678.95",
  };
  for (const std::string_view text : texts) EXPECT_EQ(found_in(text), "") << text;
}

}  // namespace
}  // namespace vsr::signals
