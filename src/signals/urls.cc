// URLs that carry a credential: a user and a password, a key as the user, a web hook.

#include <algorithm>

#include "signals/scan.h"
#include "signals/secret_text.h"

namespace vsr::signals {

size_t read_url(Scan& scan, size_t colon) {
  const std::string_view text = scan.text;
  constexpr size_t kSchemeBytesMax = 24;
  constexpr size_t kUrlBytesMax = 2048;
  size_t start = colon;
  while (start > 0 && colon - start < kSchemeBytesMax &&
         (is_alnum(text[start - 1]) || text[start - 1] == '+')) {
    --start;
  }
  if (start == colon) return 0;
  const size_t host = colon + 3;
  const size_t limit = std::min(text.size(), colon + kUrlBytesMax);
  size_t end = host;
  size_t at_sign = 0;
  bool authority = true;
  while (end < limit) {
    const char c = text[end];
    if (is_any(c, kSpaceBit) || c == '"' || c == '\'' || c == '`' || c == '<' || c == '>' ||
        c == ')' || c == '\\' || static_cast<uint8_t>(c) >= 0x80) {
      break;
    }
    if (c == '/' || c == '?') authority = false;
    if (c == '@' && authority) at_sign = end;
    ++end;
  }
  while (end > host && (text[end - 1] == '.' || text[end - 1] == ',' || text[end - 1] == ';' ||
                        text[end - 1] == '?' || text[end - 1] == ':')) {
    --end;
  }
  if (at_sign != 0 && at_sign + 1 < end) {
    const std::string_view user = text.substr(host, at_sign - host);
    const size_t separator = user.find(':');
    if (separator != std::string_view::npos) {
      const std::string_view password = user.substr(separator + 1);
      if (is_placeholder(password) || password == user.substr(0, separator)) return 0;
      scan.add(EntityType::kConnectionString, start, end, 0.95);
      return end;
    }
    if (is_generated(user)) {
      scan.add(EntityType::kApiKey, start, end, 0.9);
      return end;
    }
  }
  // Web hooks whose path is the credential.
  const std::string_view url = text.substr(host, end - host);
  for (const std::string_view hook :
       {"hooks.slack.com/services/T", "hooks.slack.com/workflows/T", "hooks.slack.com/triggers/",
        "discord.com/api/webhooks/", "discordapp.com/api/webhooks/", "hooks.zapier.com/hooks/",
        "webhook.office.com/webhookb2/", "logic.azure.com", "open.feishu.cn/open-apis/bot/",
        "open.larksuite.com/open-apis/bot/", "qyapi.weixin.qq.com/cgi-bin/webhook/",
        "oapi.dingtalk.com/robot/", "chat.googleapis.com/v1/spaces/", "maker.ifttt.com/",
        "hc-ping.com/", "events.pagerduty.com/integration/", "hook.eu1.make.com/",
        "hook.us1.make.com/", "outlook.office.com/webhook/"}) {
    // A tenant may stand in front of the host.
    const size_t at = url.substr(0, 64).find(hook);
    if (at == std::string_view::npos || (at > 0 && url[at - 1] != '.')) continue;
    const std::string_view last = url.substr(url.find_last_of("/=") + 1);
    if (!is_generated(last)) continue;
    scan.add(EntityType::kApiKey, start, end, 0.95);
    return end;
  }
  return 0;
}

size_t read_dsn(Scan& scan, size_t at_sign) {
  constexpr size_t kBackBytesMax = 96;
  const std::string_view text = scan.text;
  size_t start = at_sign;
  while (start > 0 && at_sign - start < kBackBytesMax && !is_any(text[start - 1], kSpaceBit) &&
         text[start - 1] != '"' && text[start - 1] != '\'' && text[start - 1] != '=') {
    --start;
  }
  const std::string_view front = text.substr(start, at_sign - start);
  const std::string_view behind = text.substr(at_sign + 1);
  size_t secret = std::string_view::npos;
  if (behind.starts_with("tcp(") || behind.starts_with("unix(")) {  // of Go's drivers
    secret = front.find(':');
  } else if (front.starts_with("jdbc:oracle:")) {
    secret = front.find('/');
  }
  if (secret == std::string_view::npos || is_placeholder(front.substr(secret + 1))) return 0;
  scan.add(EntityType::kConnectionString, start, at_sign + 1, 0.9);
  return at_sign + 1;
}

}  // namespace vsr::signals
