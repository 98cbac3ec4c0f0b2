#pragma once

// Check digits of the numbers by which states know people and tax payers. Every function takes an
// id without its separators, letters in upper case, digits and letters where they belong (the forms
// of national_ids.cc see to that). Pure.

#include <string_view>

namespace vsr::signals {

bool ar_cuit_valid(std::string_view id);
bool au_medicare_valid(std::string_view id);
bool au_tfn_valid(std::string_view id);
bool be_register_valid(std::string_view id);
bool br_cnpj_valid(std::string_view id);
bool br_cpf_valid(std::string_view id);
bool ch_ahv_valid(std::string_view id);
bool cl_rut_valid(std::string_view id);
bool de_tax_valid(std::string_view id);
bool dk_cpr_valid(std::string_view id);
// Numbers given out since 2007 keep no check digit: a date is all there is.
bool dk_cpr_shaped(std::string_view id);
bool es_dni_valid(std::string_view id);  // and NIE
bool fi_henkilotunnus_valid(std::string_view id);
bool fr_nir_valid(std::string_view id);
bool gb_nino_valid(std::string_view id);
bool il_teudat_zehut_valid(std::string_view id);
bool in_aadhaar_valid(std::string_view id);
bool in_pan_valid(std::string_view id);
bool it_codice_fiscale_valid(std::string_view id);
bool jp_my_number_valid(std::string_view id);
bool kr_rrn_valid(std::string_view id);
bool mx_curp_valid(std::string_view id);
bool mx_rfc_valid(std::string_view id);
bool nl_bsn_valid(std::string_view id);
bool no_fodselsnummer_valid(std::string_view id);
bool pl_pesel_valid(std::string_view id);
bool pt_nif_valid(std::string_view id);
bool ru_inn_valid(std::string_view id);
bool ru_snils_valid(std::string_view id);
bool se_personnummer_valid(std::string_view id);
bool tr_tckn_valid(std::string_view id);
bool za_id_valid(std::string_view id);

}  // namespace vsr::signals
