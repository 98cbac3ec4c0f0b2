#include "json/value.h"

#include <charconv>

namespace vsr::json {
namespace {

const Value kNull;
const Value::Array kNoItems;
const Value::Object kNoFields;

// Recursion is bounded by kDepthMax of the reader.
class Builder {
 public:
  explicit Builder(Reader& reader) : reader_(reader) {}

  Value build() {
    if (++nodes_ > Value::kNodesMax) {
      reader_.fail("there are too many values");
      return Value();
    }
    switch (reader_.kind()) {
      case Kind::kNull:
        reader_.read_null();
        return Value();
      case Kind::kBool: {
        bool truth = false;
        reader_.read_bool(truth);
        return Value(truth);
      }
      case Kind::kNumber:
        return number();
      case Kind::kString: {
        std::string_view text;
        arena_.reset();
        reader_.read_string(arena_, text);
        return Value(std::string(text));
      }
      case Kind::kArray: {
        Value::Array items;
        if (reader_.begin_array()) {
          while (reader_.next_element()) items.push_back(build());
        }
        return Value(std::move(items));
      }
      case Kind::kObject: {
        Value::Object fields;
        std::string_view key;
        if (reader_.begin_object()) {
          while (reader_.next_field(key)) {
            std::string name(key);
            fields.emplace_back(std::move(name), build());
          }
        }
        return Value(std::move(fields));
      }
      case Kind::kNone:
        reader_.fail("expected a value");
        break;
    }
    return Value();
  }

 private:
  Value number() {
    Reader& r = reader_;
    const std::string_view text = r.text().substr(r.offset());
    int64_t integer = 0;
    if (r.read_int(integer)) return Value(integer);
    if (r.failed()) return Value();
    // Read again as a double: an integer out of range, or a fraction.
    double real = 0;
    const auto result = std::from_chars(text.data(), text.data() + text.size(), real);
    if (result.ec != std::errc()) r.fail("a number is out of range");
    return Value(real);
  }

  Reader& reader_;
  Arena arena_{256};
  size_t nodes_ = 0;
};

}  // namespace

Result<Value> Value::parse(std::string_view text) {
  Reader reader;
  reader.open(text);
  Value value = Builder(reader).build();
  if (!reader.at_end()) return std::unexpected(reader.to_error());
  return value;
}

Kind Value::kind() const {
  constexpr Kind kKinds[] = {Kind::kNull,   Kind::kBool,  Kind::kNumber, Kind::kNumber,
                             Kind::kString, Kind::kArray, Kind::kObject};
  return kKinds[data_.index()];
}

bool Value::as_bool(bool fallback) const {
  const bool* const truth = std::get_if<bool>(&data_);
  return truth != nullptr ? *truth : fallback;
}

int64_t Value::as_int(int64_t fallback) const {
  if (const auto* const integer = std::get_if<int64_t>(&data_)) return *integer;
  const auto* const real = std::get_if<double>(&data_);
  constexpr double kLimit = 9223372036854775808.0;  // 2^63
  if (real == nullptr || !(*real >= -kLimit && *real < kLimit)) return fallback;
  return static_cast<int64_t>(*real);
}

double Value::as_double(double fallback) const {
  if (const auto* const real = std::get_if<double>(&data_)) return *real;
  const auto* const integer = std::get_if<int64_t>(&data_);
  return integer != nullptr ? static_cast<double>(*integer) : fallback;
}

std::string_view Value::as_string(std::string_view fallback) const {
  const auto* const text = std::get_if<std::string>(&data_);
  return text != nullptr ? std::string_view(*text) : fallback;
}

const Value::Array& Value::items() const {
  const auto* const items = std::get_if<Array>(&data_);
  return items != nullptr ? *items : kNoItems;
}

const Value::Object& Value::fields() const {
  const auto* const fields = std::get_if<Object>(&data_);
  return fields != nullptr ? *fields : kNoFields;
}

const Value* Value::find(std::string_view key) const {
  const Object& all = fields();
  for (auto field = all.rbegin(); field != all.rend(); ++field) {
    if (field->first == key) return &field->second;
  }
  return nullptr;
}

const Value& Value::operator[](std::string_view key) const {
  const Value* const found = find(key);
  return found != nullptr ? *found : kNull;
}

const Value& Value::operator[](size_t index) const {
  const Array& all = items();
  return index < all.size() ? all[index] : kNull;
}

size_t Value::size() const { return is_array() ? items().size() : fields().size(); }

void Value::write(JsonWriter& writer) const {
  switch (data_.index()) {
    case 0:
      writer.null();
      break;
    case 1:
      writer.value(std::get<bool>(data_));
      break;
    case 2:
      writer.value(std::get<int64_t>(data_));
      break;
    case 3:
      writer.value(std::get<double>(data_));
      break;
    case 4:
      writer.value(std::get<std::string>(data_));
      break;
    case 5:
      writer.begin_array();
      for (const Value& item : items()) item.write(writer);
      writer.end_array();
      break;
    default:
      writer.begin_object();
      for (const auto& [key, value] : fields()) {
        writer.key(key);
        value.write(writer);
      }
      writer.end_object();
  }
}

std::string Value::dump() const {
  JsonWriter writer;
  write(writer);
  return writer.take();
}

}  // namespace vsr::json
