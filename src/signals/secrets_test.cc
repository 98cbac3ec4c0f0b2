// Secrets by their shape and by what stands beside them: one row for each way to read one. All
// values are random; tests/e2e/test_secret_shapes.py draws many of each kind.
#include <gtest/gtest.h>

#include <string>

#include "signals/detect_fixture.h"

namespace vsr::signals {
namespace {

using fixture::Case;

std::string found_in(std::string_view text) {
  return fixture::found_in(text, {.personal = false, .secrets = true});
}

TEST(Secrets, ByTheirShape) {
  const Case cases[] = {
      {"use live_a1B2c3D4e5F6g7H8i9J0k1L2m3N4 now", "API_KEY(live_a1B2c3D4e5F6g7H8i9J0k1L2m3N4)"},
      {"fc-0123456789abcdef0123456789abcdef", "API_KEY(fc-0123456789abcdef0123456789abcdef)"},
      {"sdk-3bf5f6c4-b9f3-4932-ba70-62ed5d513e61",
       "API_KEY(sdk-3bf5f6c4-b9f3-4932-ba70-62ed5d513e61)"},
      {"3bf5f6c4-b9f3-4932-ba70-62ed5d513e61:fx",
       "API_KEY(3bf5f6c4-b9f3-4932-ba70-62ed5d513e61:fx)"},
      {"0123456789abcdef0123456789abcdef.aBcDeFgH12345678",
       "API_KEY(0123456789abcdef0123456789abcdef.aBcDeFgH12345678)"},
      {"re_aB3dE6gH_aBcDeFgHiJkLmNoPqRsTuV12", "API_KEY(re_aB3dE6gH_aBcDeFgHiJkLmNoPqRsTuV12)"},
      {"bot123456789:AAbcdefghijklmnopqrstuvwxyz01234567/getMe",
       "API_KEY(bot123456789:AAbcdefghijklmnopqrstuvwxyz01234567)"},
      {"---- BEGIN SSH2 ENCRYPTED PRIVATE KEY ----\nMIIBOgIBAAJBAKj34GkxFhD90vcN\n"
       "---- END SSH2 ENCRYPTED PRIVATE KEY ----",
       "PRIVATE_KEY(---- BEGIN SSH2 ENCRYPTED PRIVATE KEY ----\nMIIBOgIBAAJBAKj34GkxFhD90vcN\n"
       "---- END SSH2 ENCRYPTED PRIVATE KEY ----)"},
      {"{SSHA}W6ph5Mm5Pz8GgiULbPgzG37mj9gxyz12",
       "PASSWORD({SSHA}W6ph5Mm5Pz8GgiULbPgzG37mj9gxyz12)"},
      {"jo:$y$j9T$abcdefghijklmnop$ABCDEFGHIJKLMNOPQRSTUVWXYZ012345:1",
       "PASSWORD($y$j9T$abcdefghijklmnop$ABCDEFGHIJKLMNOPQRSTUVWXYZ012345)"},
  };
  for (const Case& c : cases) EXPECT_EQ(found_in(c.text), c.expected) << c.text;
}

TEST(Secrets, ByCommandsHeadersAndFiles) {
  const Case cases[] = {
      {"curl -u jo:Kiwi-4471x https://api.example.com", "PASSWORD(Kiwi-4471x)"},
      {"curl --user jo:Kiwi-4471x https://api.example.com", "PASSWORD(Kiwi-4471x)"},
      {"mysql -u root -pKiwi-4471x shop", "PASSWORD(Kiwi-4471x)"},
      {"docker login -u jo -p Kiwi-4471x registry.example.com", "PASSWORD(Kiwi-4471x)"},
      {"redis-cli -h cache -a Kiwi-4471x ping", "PASSWORD(Kiwi-4471x)"},
      {"smbclient //nas/share -U jo%Kiwi-4471x", "PASSWORD(Kiwi-4471x)"},
      {"net user jo Kiwi-4471x /add", "PASSWORD(Kiwi-4471x)"},
      {"htpasswd -b .htpasswd jo Kiwi-4471x", "PASSWORD(Kiwi-4471x)"},
      {"echo Kiwi-4471x | sudo -S apt update", "PASSWORD(Kiwi-4471x)"},
      {"machine git.example.com login jo password Kiwi-4471x", "PASSWORD(Kiwi-4471x)"},
      {"db.example.com:5432:shop:app:Kiwi-4471x", "PASSWORD(Kiwi-4471x)"},
      {"WIFI:T:WPA;S:Cafe;P:kiwi4471;;", "PASSWORD(kiwi4471)"},
      {"IDENTIFIED BY 'Kiwi-4471x'", "PASSWORD(Kiwi-4471x)"},
      {"CREATE USER app WITH PASSWORD 'Kiwi-4471x';", "PASSWORD(Kiwi-4471x)"},
      {"<password>Kiwi-4471x</password>", "PASSWORD(Kiwi-4471x)"},
      {"<add key=\"password\" value=\"Kiwi-4471x\" />", "PASSWORD(Kiwi-4471x)"},
      {"auth=(\"jo\", \"Kiwi-4471x\")", "PASSWORD(Kiwi-4471x)"},
      {"jo@example.com:Kiwi#4471x", "PASSWORD(Kiwi#4471x)"},
      {"DB_PASSWORD_PROD=Kiwi-4471x", "PASSWORD(Kiwi-4471x)"},
      {"{\"auth\": \"am86S2l3aS00NDcxeA==\"}", "ACCESS_TOKEN(am86S2l3aS00NDcxeA==)"},
      {"Authorization: Token q7Rt2Lm9Xc4Vb8Nz1Kp5", "ACCESS_TOKEN(q7Rt2Lm9Xc4Vb8Nz1Kp5)"},
      {"Authorization: q7Rt2Lm9Xc4Vb8Nz1Kp5", "ACCESS_TOKEN(q7Rt2Lm9Xc4Vb8Nz1Kp5)"},
      {"Cookie: session=q7rt2lm9xc4vb8nz1kp5; theme=dark", "ACCESS_TOKEN(q7rt2lm9xc4vb8nz1kp5)"},
      {"app:Kiwi-4471x@tcp(db.example.com:3306)/shop", "CONNECTION_STRING(app:Kiwi-4471x@)"},
      {"jdbc:oracle:thin:app/Kiwi-4471x@db.example.com:1521/o",
       "CONNECTION_STRING(jdbc:oracle:thin:app/Kiwi-4471x@)"},
  };
  for (const Case& c : cases) EXPECT_EQ(found_in(c.text), c.expected) << c.text;
}

TEST(Secrets, AsSentencesTellThem) {
  const Case cases[] = {
      {"I set the password to kiwilan42 yesterday", "PASSWORD(kiwilan42)"},
      {"use Kiwi#4471x as the password", "PASSWORD(Kiwi#4471x)"},
      {"Mein Passwort ist kiwilan42, warum?", "PASSWORD(kiwilan42)"},
      {"mon mot de passe est kiwilan42", "PASSWORD(kiwilan42)"},
      {"mi contraseña es kiwilan42", "PASSWORD(kiwilan42)"},
      {"minha senha é kiwilan42", "PASSWORD(kiwilan42)"},
      {"moje hasło to kiwilan42", "PASSWORD(kiwilan42)"},
      {"мой пароль kiwilan42, почему", "PASSWORD(kiwilan42)"},
      {"パスワードはkiwilan42です", "PASSWORD(kiwilan42)"},
      {"비밀번호는 kiwilan42입니다", "PASSWORD(kiwilan42)"},
      {"كلمة المرور هي kiwilan42", "PASSWORD(kiwilan42)"},
      {"मेरा पासवर्ड kiwilan42 है", "PASSWORD(kiwilan42)"},
      {"clé API : q7Rt2Lm9Xc4Vb8Nz1Kp5", "SECRET(q7Rt2Lm9Xc4Vb8Nz1Kp5)"},
      {"APIキーはq7Rt2Lm9Xc4Vb8Nz1Kp5です", "SECRET(q7Rt2Lm9Xc4Vb8Nz1Kp5)"},
      {"backup codes: 4821-7735, 1190-6642", "SECRET(4821-7735) SECRET(1190-6642)"},
      {"setup key JBSW Y3DP EHPK 3PXP", "SECRET(JBSW Y3DP EHPK 3PXP)"},
      {"seed phrase: apple arrow autumn badge bamboo barrel beach bicycle blanket blossom bridge "
       "bronze",
       "SECRET(apple arrow autumn badge bamboo barrel beach bicycle blanket blossom bridge "
       "bronze)"},
  };
  for (const Case& c : cases) EXPECT_EQ(found_in(c.text), c.expected) << c.text;
}

TEST(Secrets, LooksAlikeAndIsNot) {
  for (const std::string_view text : {
           "npm_config_registry",
           "test_that_the_client_reconnects_2_times",
           "return re_compile_pattern_for_something_24",
           "curl -u user:password https://api.example.com",
           "curl -u \"$USER:$PASS\" https://api.example.com",
           "docker run -p 8080:80 nginx",
           "mysql -p shop",
           "password: !vault",
           "Is SHA512 safe for passwords?",
           "The password is wrong, says Windows11.",
           "Passwort muss SHA256 nutzen?",
           "la clave del éxito en 2024",
           "パスワードを忘れました。iPhone15です",
           "пароль должен иметь 12 символов",
           "password_hash=e3b0c44298fc1c149afbf4c8996fb924",
           "token address 0x52908400098527886E0F7030069857D2E4169EE7",
           "publishable key pk_live_9Dgt0XMWPn1rUs9oZ5thhtpA",
           "session=2031 of the parliament",
           "Cookie: theme=dark; lang=en",
           "net user guide",
           "echo hello | sort",
           "localhost:5432:open:yes: no",
           "backup codes are ten numbers",
           "the seed phrase has twelve words, and the order of them matters for the wallet",
           "WIFI:T:nopass;S:Cafe;;",
           "klucz do sukcesu",
       }) {
    EXPECT_EQ(found_in(text), "") << text;
  }
}

}  // namespace
}  // namespace vsr::signals
