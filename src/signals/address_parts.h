#pragma once

// What addresses of any country are made of: words of any alphabet, house numbers, postal codes,
// towns, flats. Each function gives the offset behind what it read, or the place where it began if
// that is not there; codes give 0. Pure functions of a text and a place in it.

#include <cstddef>
#include <string_view>

#include "signals/scan.h"

namespace vsr::signals {

bool is_letter_at(std::string_view text, size_t at);
size_t past_word(std::string_view text, size_t at);
// Where the word that ends at `end` begins; `end` if there is none.
size_t word_start(std::string_view text, size_t end);
bool is_capital(std::string_view word);
// "de la", "von", "dell'": stands inside names in lower case.
bool is_name_particle(std::string_view word);
size_t past_number(const Scan& scan, size_t at);
// "12b", "12 bis", "12-14", "12/3", "12 B" behind the first digits of a house number.
size_t past_house_number(const Scan& scan, size_t end);
// A postal code at `at`, 0 if there is none.
size_t past_code(const Scan& scan, size_t at);
// The capitalised words of a town.
size_t past_town_words(const Scan& scan, size_t at);
// ", 3º B", ", Apto 45", ", Top 5", ", кв. 12", ", 2. tv": short and with a digit or a word for it.
size_t past_foreign_unit(const Scan& scan, size_t end);

}  // namespace vsr::signals
