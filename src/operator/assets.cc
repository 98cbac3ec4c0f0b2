#include "operator/assets.h"

#include "base/embed.h"

VSR_EMBED(assets, VSR_ASSETS_FILE)

namespace vsr::operator_api {

namespace {

constexpr size_t kColumns = 6;  // path, type, digest, coding, offset, bytes

}  // namespace

Assets::Assets(std::string_view packed) {
  size_t head = packed.starts_with('\n') ? 0 : packed.find("\n\n");
  if (head == std::string_view::npos) return;
  if (head > 0) ++head;
  const std::string_view bytes = packed.substr(head + 1);
  for (const std::string_view line : split(packed.substr(0, head), '\n')) {
    const std::vector<std::string_view> columns = split(line, '\t');
    uint64_t offset = 0;
    uint64_t size = 0;
    if (columns.size() != kColumns || !parse_number(columns[4], offset) ||
        !parse_number(columns[5], size) || offset > bytes.size() || size > bytes.size() - offset) {
      continue;
    }
    Asset& asset = files_[std::string(columns[0])];
    asset.content_type = columns[1];
    asset.digest = columns[2];
    (columns[3] == "gzip" ? asset.gzip : asset.plain) = bytes.substr(offset, size);
  }
}

Assets Assets::embedded() { return Assets(vsr_embedded_assets()); }

const Asset* Assets::find(std::string_view path) const {
  const auto at = files_.find(path);
  return at == files_.end() ? nullptr : &at->second;
}

bool takes_gzip(std::string_view accept_encoding) {
  if (accept_encoding.empty()) return true;
  bool any = false;
  for (const std::string_view part : split(accept_encoding, ',')) {
    const size_t semicolon = part.find(';');
    const std::string_view coding = trim(part.substr(0, semicolon));
    const std::string_view weight =
        semicolon == std::string_view::npos ? "" : trim(part.substr(semicolon + 1));
    const bool refused =
        weight == "q=0" || weight == "q=0.0" || weight == "q=0.00" || weight == "q=0.000";
    if (iequals(coding, "gzip")) return !refused;
    if (coding == "*") any = !refused;
  }
  return any;
}

}  // namespace vsr::operator_api
