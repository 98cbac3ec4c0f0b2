#include "http/parser.h"

#include <gtest/gtest.h>

#include <random>

namespace vsr::http {
namespace {

TEST(Parser, GivesTheHeadOfARequestAsViews) {
  const std::string head =
      "POST /v1/chat/completions?a=b&c HTTP/1.1\r\nHost: x\r\nX-Empty:\r\n"
      "x-padded: \t value \t\r\nContent-Length: 12\r\n\r\n";
  Parser parser(Parser::Kind::kRequest);
  RequestHead request;
  ASSERT_TRUE(parser.parse_request(head, request).has_value());
  EXPECT_EQ(request.method, "POST");
  EXPECT_EQ(request.target, "/v1/chat/completions?a=b&c");
  EXPECT_EQ(request.path, "/v1/chat/completions");
  EXPECT_EQ(request.query, "a=b&c");
  EXPECT_EQ(request.minor_version, 1);
  EXPECT_EQ(request.headers.size(), 4u);
  EXPECT_EQ(request.headers.get("host"), "x");
  EXPECT_TRUE(request.headers.has("x-empty"));
  EXPECT_EQ(request.headers.get("X-Padded"), "value");
  EXPECT_EQ(request.headers.get("x-none"), "");
  EXPECT_EQ(parser.framing(), Framing::kLength);
  EXPECT_EQ(parser.content_length(), 12u);
  EXPECT_TRUE(parser.keep_alive());
  for (const Header& header : request.headers) {
    EXPECT_GE(header.name.data(), head.data());
    EXPECT_LE(header.value.data() + header.value.size(), head.data() + head.size());
  }
}

TEST(Parser, RefusesWhatAnotherParserMightReadDifferently) {
  const char* const bad[] = {
      "GET / HTTP/1.1\nhost: x\r\n\r\n",                // bare LF
      "GET / HTTP/1.1\r\nhost: x\ra: b\r\n\r\n",        // bare CR
      "GET / HTTP/1.1\r\nhost: x\r\n folded\r\n\r\n",   // folded line
      "GET / HTTP/1.1\r\n host: x\r\n\r\n",             // space before the first name
      "GET / HTTP/1.1\r\nhost : x\r\n\r\n",             // space before the colon
      "GET / HTTP/1.1\r\nhost: x\r\nhost: y\r\n\r\n",   // two hosts
      "GET / HTTP/1.1\r\n\r\n",                         // no host
      "GET / HTTP/1.1\r\nhost: x\r\nno colon\r\n\r\n",  //
      "GET / HTTP/1.1\r\nhost: x\r\n: y\r\n\r\n",       // no name
      "GET / HTTP/1.1 \r\nhost: x\r\n\r\n",             //
      "GET / HTTP/2.0\r\nhost: x\r\n\r\n",              //
      "GET / HTTP/11\r\nhost: x\r\n\r\n",               //
      "GET / FTP/1.1\r\nhost: x\r\n\r\n",               //
      "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",               // HTTP/2
      "GET x HTTP/1.1\r\nhost: x\r\n\r\n",              // not a path
      "CONNECT x:443 HTTP/1.1\r\nhost: x\r\n\r\n",      //
      "POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 1\r\ncontent-length: 1\r\n\r\n",
      "POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 1, 1\r\n\r\n",
      "POST / HTTP/1.1\r\nhost: x\r\ncontent-length: +1\r\n\r\n",
      "POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 0x1\r\n\r\n",
      "POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 99999999999999999999\r\n\r\n",
      "POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 1\r\ntransfer-encoding: chunked\r\n\r\n",
      "POST / HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\ncontent-length: 1\r\n\r\n",
      "POST / HTTP/1.1\r\nhost: x\r\ntransfer-encoding: gzip\r\n\r\n",
      "POST / HTTP/1.1\r\nhost: x\r\ntransfer-encoding: gzip, chunked\r\n\r\n",
      "POST / HTTP/1.1\r\nhost: x\r\ntransfer-encoding: xchunked\r\n\r\n",
      "GET / HTTP/1.1\r\nhost: x\r\nte: x\r\ntransfer-encoding: a\r\ntransfer-encoding: b\r\n\r\n",
      "GET / HTTP/1.1\r\nhost: x\r\ntransfer-encoding:\r\ntransfer-encoding: chunked\r\n\r\n",
      "POST / HTTP/1.0\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n",
      "\x16\x03\x01\x02 hello\r\n\r\n",
  };
  for (const char* head : bad) {
    Parser parser(Parser::Kind::kRequest);
    RequestHead request;
    const Status parsed = parser.parse_request(head, request);
    ASSERT_FALSE(parsed.has_value()) << head;
    EXPECT_EQ(parsed.error().code, ErrorCode::kProtocol) << head;
    EXPECT_EQ(parsed.error().source, ErrorSource::kClient) << head;
  }
  using std::string_literals::operator""s;
  Parser parser(Parser::Kind::kRequest);
  RequestHead request;
  EXPECT_FALSE(parser.parse_request("GET / HTTP/1.1\r\nhost: x\0y\r\n\r\n"s, request).has_value());
}

TEST(Parser, AParserIsGoodForManyMessages) {
  Parser parser(Parser::Kind::kRequest);
  RequestHead request;
  for (int i = 0; i < 3; ++i) {
    EXPECT_FALSE(parser.parse_request("GET / HTTP/1.1\r\n\r\n", request).has_value());
    ASSERT_TRUE(parser
                    .parse_request("POST /a HTTP/1.1\r\nhost: x\r\ntransfer-encoding: Chunked"
                                   "\r\nconnection: close\r\n\r\n",
                                   request)
                    .has_value());
    EXPECT_EQ(parser.framing(), Framing::kChunked);
    EXPECT_FALSE(parser.keep_alive());
    std::vector<std::string_view> spans;
    EXPECT_EQ(*parser.feed_chunked("2\r\nab\r\n0\r\n\r\nGET", spans), 13u - 1);
    EXPECT_TRUE(parser.done());
    ASSERT_TRUE(parser.parse_request("GET /b HTTP/1.0\r\n\r\n", request).has_value());
    EXPECT_EQ(request.minor_version, 0);
    EXPECT_EQ(parser.framing(), Framing::kNone);
    EXPECT_FALSE(parser.keep_alive());
    EXPECT_EQ(request.headers.size(), 0u);
  }
}

TEST(Parser, LimitsTheNumberOfHeaders) {
  for (const size_t count : {kHeadersMax, kHeadersMax + 1}) {
    std::string head = "GET / HTTP/1.1\r\nhost: x\r\n";
    for (size_t i = 1; i < count; ++i) head += "a: b\r\n";
    head += "\r\n";
    Parser parser(Parser::Kind::kRequest);
    RequestHead request;
    const Status parsed = parser.parse_request(head, request);
    EXPECT_EQ(parsed.has_value(), count == kHeadersMax);
    if (!parsed) {
      EXPECT_EQ(parsed.error().code, ErrorCode::kTooLarge);
    }
  }
}

TEST(Parser, ReadsResponses) {
  struct Case {
    const char* head;
    bool head_request;
    int status;
    Framing framing;
    bool keep_alive;
  };
  const Case cases[] = {
      {"HTTP/1.1 200 OK\r\ncontent-length: 3\r\n\r\n", false, 200, Framing::kLength, true},
      {"HTTP/1.1 200 OK\r\ncontent-length: 3\r\n\r\n", true, 200, Framing::kNone, true},
      {"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n", false, 200, Framing::kNone, true},
      {"HTTP/1.1 200\r\ntransfer-encoding: chunked\r\n\r\n", false, 200, Framing::kChunked, true},
      {"HTTP/1.1 200 OK\r\n\r\n", false, 200, Framing::kUntilClose, false},
      {"HTTP/1.0 200 OK\r\ncontent-length: 3\r\n\r\n", false, 200, Framing::kLength, false},
      {"HTTP/1.1 200 OK\r\ncontent-length: 3\r\nconnection: close\r\n\r\n", false, 200,
       Framing::kLength, false},
      {"HTTP/1.1 204 No Content\r\n\r\n", false, 204, Framing::kNone, true},
      {"HTTP/1.1 304 Not Modified\r\ncontent-length: 3\r\n\r\n", false, 304, Framing::kNone, true},
      {"HTTP/1.1 100 Continue\r\n\r\n", false, 100, Framing::kNone, true},
      {"HTTP/1.1 500 Oh\r\ncontent-length: 3\r\n\r\n", false, 500, Framing::kLength, true},
  };
  for (const Case& c : cases) {
    Parser parser(Parser::Kind::kResponse);
    ResponseHead response;
    const Status parsed = parser.parse_response(c.head, response, c.head_request);
    ASSERT_TRUE(parsed.has_value()) << c.head << parsed.error().message;
    EXPECT_EQ(response.status, c.status) << c.head;
    EXPECT_EQ(parser.framing(), c.framing) << c.head;
    EXPECT_EQ(parser.keep_alive(), c.keep_alive) << c.head;
  }
  for (const char* bad : {"HTTP/1.1 abc OK\r\n\r\n", "HTP/1.1 200 OK\r\n\r\n",
                          "HTTP/1.1 200 OK\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\n",
                          "HTTP/1.1 200 OK\r\ntransfer-encoding: br\r\n\r\n",
                          "HTTP/1.1 200 OK\nx: y\r\n\r\n", "GET / HTTP/1.1\r\nhost: x\r\n\r\n"}) {
    Parser parser(Parser::Kind::kResponse);
    ResponseHead response;
    EXPECT_FALSE(parser.parse_response(bad, response, false).has_value()) << bad;
  }
}

TEST(Parser, AnySplitOfAChunkedBodyGivesTheSameBytes) {
  std::mt19937 random(17);
  for (int round = 0; round < 500; ++round) {
    std::string body;
    std::string coded;
    for (size_t i = random() % 8; i > 0; --i) {
      const std::string chunk(1 + random() % 40, static_cast<char>('a' + random() % 26));
      body += chunk;
      char size[16];
      std::snprintf(size, sizeof(size), random() % 2 ? "%zx" : "00%zX", chunk.size());
      coded += size;
      if (random() % 3 == 0) coded += ";name=value";
      coded += "\r\n" + chunk + "\r\n";
    }
    coded += random() % 2 ? "0\r\n\r\n" : "0\r\ntrailer: x\r\n\r\n";
    const size_t length = coded.size();
    coded += "NEXT";
    Parser parser(Parser::Kind::kRequest);
    RequestHead request;
    ASSERT_TRUE(parser
                    .parse_request(
                        "POST / HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n", request)
                    .has_value());
    std::string got;
    size_t at = 0;
    while (!parser.done()) {
      ASSERT_LT(at, coded.size());
      const std::string part = coded.substr(at, 1 + random() % 9);
      std::vector<std::string_view> spans;
      const Result<size_t> used = parser.feed_chunked(part, spans);
      ASSERT_TRUE(used.has_value()) << used.error().message;
      for (const std::string_view span : spans) got += span;
      at += *used;
    }
    ASSERT_EQ(got, body);
    ASSERT_EQ(at, length);
  }
}

TEST(HeaderText, AValueCannotBreakOutOfItsLine) {
  HeaderText text;
  text.add("x-a", "one\r\nx-evil: 1").add("x-b", "two\x7f\x01");
  EXPECT_EQ(text.text(), "x-a: one  x-evil: 1\r\nx-b: two  \r\n");
}

}  // namespace
}  // namespace vsr::http
