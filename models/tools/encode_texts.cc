// The sentence encoder over lines of JSON strings, for measuring it.
// usage: encode_texts ids|vectors|times ENCODER_FILE [--threads N]
//   ids      a line of token ids per text, without [CLS] and [SEP]
//   vectors  little-endian floats, one vector per text
//   times    the microseconds of encoding each text, at once when its line was read
#include <fmt/format.h>

#include <chrono>
#include <cstdio>
#include <iostream>
#include <thread>

#include "json/value.h"
#include "nn/encoder_file.h"
#include "nn/mapped_file.h"
#include "nn/sentence_encoder.h"
#include "text/wordpiece.h"

namespace {

using vsr::nn::SentenceEncoder;

[[noreturn]] void give_up(const std::string& why) {
  fmt::print(stderr, "encode_texts: {}\n", why);
  std::exit(2);
}

template <typename T>
T or_give_up(vsr::Result<T> result) {
  if (!result) give_up(result.error().message);
  return std::move(*result);
}

bool next_text(std::string& out) {
  std::string line;
  if (!std::getline(std::cin, line)) return false;
  out = or_give_up(vsr::json::Value::parse(line)).as_string();
  return true;
}

void write_ids(const std::string& file) {
  const auto bytes = or_give_up(vsr::nn::MappedFile::open(file, "encoder weights"));
  const auto parameters = or_give_up(vsr::nn::read_encoder(bytes.view()));
  const auto tokenizer = or_give_up(vsr::text::WordPiece::make(parameters.vocabulary));
  std::vector<uint32_t> ids;
  for (std::string text; next_text(text);) {
    ids.clear();
    tokenizer.encode(text, ids);
    fmt::print("{}\n", fmt::join(ids, " "));
  }
}

void write_vectors(const SentenceEncoder& encoder, size_t threads) {
  std::vector<std::string> texts;
  for (std::string text; next_text(text);) texts.push_back(std::move(text));
  std::vector<float> out(texts.size() * encoder.dims());
  std::vector<std::jthread> workers;
  for (size_t first = 0; first < threads; ++first) {
    workers.emplace_back([&, first] {
      for (size_t i = first; i < texts.size(); i += threads) {
        const std::string_view text = texts[i];
        const vsr::Status done =
            encoder.encode({&text, 1}, std::span(out).subspan(i * encoder.dims(), encoder.dims()));
        if (!done) give_up(done.error().message);
      }
    });
  }
  workers.clear();
  std::fwrite(out.data(), sizeof(float), out.size(), stdout);
}

void write_times(const SentenceEncoder& encoder) {
  std::vector<float> vector(encoder.dims());
  for (std::string text; next_text(text);) {
    const std::string_view view = text;
    const auto begin = std::chrono::steady_clock::now();
    const vsr::Status done = encoder.encode({&view, 1}, vector);
    const std::chrono::duration<double, std::micro> took = std::chrono::steady_clock::now() - begin;
    if (!done) give_up(done.error().message);
    fmt::print("{:.1f}\n", took.count());
    std::fflush(stdout);
  }
}

}  // namespace

int main(int argc, char** argv) {
  const std::vector<std::string> arguments(argv + 1, argv + argc);
  const std::string mode = arguments.empty() ? "" : arguments[0];
  const bool has_threads = arguments.size() == 4 && arguments[2] == "--threads";
  if ((arguments.size() != 2 && !has_threads) ||
      (mode != "ids" && mode != "vectors" && mode != "times")) {
    give_up("usage: encode_texts ids|vectors|times ENCODER_FILE [--threads N]");
  }
  if (mode == "ids") {
    write_ids(arguments[1]);
    return 0;
  }
  const auto encoder = or_give_up(SentenceEncoder::load(arguments[1]));
  const size_t threads = has_threads ? std::max(1, std::atoi(arguments[3].c_str())) : 1;
  mode == "vectors" ? write_vectors(*encoder, threads) : write_times(*encoder);
}
