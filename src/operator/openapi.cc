#include "operator/openapi.h"

#include <fmt/format.h>

#include "base/check.h"
#include "base/embed.h"
#include "json/value.h"

VSR_EMBED(openapi, VSR_OPENAPI_FILE)

namespace vsr::operator_api {

namespace {

std::string escaped(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '<') {
      out += "&lt;";
    } else if (c == '&') {
      out += "&amp;";
    } else {
      out += c;
    }
  }
  return out;
}

std::string upper(std::string_view method) {
  std::string out(method);
  for (char& c : out) c = c >= 'a' && c <= 'z' ? static_cast<char>(c - 32) : c;
  return out;
}

}  // namespace

std::string_view openapi_json() { return vsr_embedded_openapi(); }

std::string openapi_page() {
  const auto parsed = json::Value::parse(openapi_json());
  VSR_CHECK(parsed, "openapi.json is no JSON");
  std::string rows;
  for (const auto& [path, operations] : (*parsed)["paths"].fields()) {
    for (const auto& [method, operation] : operations.fields()) {
      std::string parameters;
      for (const json::Value& parameter : operation["parameters"].items()) {
        parameters += fmt::format("{}<code>{}</code>", parameters.empty() ? "" : " ",
                                  escaped(parameter["name"].as_string()));
      }
      rows += fmt::format("<tr><td>{}<td><code>{}</code><td>{}<td>{}\n", upper(method),
                          escaped(path), escaped(operation["summary"].as_string()), parameters);
    }
  }
  return fmt::format(
      "<!doctype html><html lang=en><meta charset=utf-8><title>vllm-sr API</title>"
      "<meta name=viewport content='width=device-width'><meta name=color-scheme content='light "
      "dark'><style>body{{font:15px/1.5 system-ui;max-width:70rem;margin:2rem auto;padding:0 "
      "1rem}}td{{padding:.3rem .8rem .3rem 0;vertical-align:top}}table{{border-collapse:collapse}}"
      "tr{{border-bottom:1px solid #8884}}</style><h1>{}</h1><p>{}<p>Machine-readable: <a "
      "href=/openapi.json>/openapi.json</a><table>\n{}</table></html>\n",
      escaped((*parsed)["info"]["title"].as_string()),
      escaped((*parsed)["info"]["description"].as_string()), rows);
}

}  // namespace vsr::operator_api
