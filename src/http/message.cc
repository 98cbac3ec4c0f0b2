#include "http/message.h"

#include "base/strings.h"

namespace vsr::http {

std::string_view Headers::get(std::string_view name) const {
  for (const Header& header : items_) {
    if (iequals(header.name, name)) return header.value;
  }
  return {};
}

bool Headers::has(std::string_view name) const {
  for (const Header& header : items_) {
    if (iequals(header.name, name)) return true;
  }
  return false;
}

HeaderText& HeaderText::add(std::string_view name, std::string_view value) {
  text_.append(name).append(": ");
  for (const char c : value) text_ += static_cast<unsigned char>(c) < ' ' || c == 0x7f ? ' ' : c;
  text_ += "\r\n";
  return *this;
}

std::string_view reason_phrase(int status) {
  switch (status) {
    case 100:
      return "Continue";
    case 200:
      return "OK";
    case 201:
      return "Created";
    case 202:
      return "Accepted";
    case 204:
      return "No Content";
    case 301:
      return "Moved Permanently";
    case 302:
      return "Found";
    case 304:
      return "Not Modified";
    case 400:
      return "Bad Request";
    case 401:
      return "Unauthorized";
    case 403:
      return "Forbidden";
    case 404:
      return "Not Found";
    case 405:
      return "Method Not Allowed";
    case 408:
      return "Request Timeout";
    case 409:
      return "Conflict";
    case 411:
      return "Length Required";
    case 412:
      return "Precondition Failed";
    case 413:
      return "Content Too Large";
    case 415:
      return "Unsupported Media Type";
    case 422:
      return "Unprocessable Content";
    case 429:
      return "Too Many Requests";
    case 431:
      return "Request Header Fields Too Large";
    case 500:
      return "Internal Server Error";
    case 501:
      return "Not Implemented";
    case 502:
      return "Bad Gateway";
    case 503:
      return "Service Unavailable";
    case 504:
      return "Gateway Timeout";
    default:
      return status < 400 ? "OK" : "Error";
  }
}

}  // namespace vsr::http
