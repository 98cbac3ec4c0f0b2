#pragma once

// For tests: a self-signed certificate and its key made on the spot, as PEM files in a folder of
// their own that goes with the object.

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <string>

#include "base/check.h"

namespace vsr::net {

class TestCertificate {
 public:
  // `names` as OpenSSL writes them, e.g. "DNS:localhost,IP:127.0.0.1". Valid for an hour.
  explicit TestCertificate(const std::string& names) {
    std::string pattern = (std::filesystem::temp_directory_path() / "vsr-cert-XXXXXX").string();
    VSR_CHECK(mkdtemp(pattern.data()) != nullptr);
    folder_ = pattern;
    EVP_PKEY* key = EVP_EC_gen("P-256");
    X509* cert = X509_new();
    X509_set_version(cert, X509_VERSION_3);
    ASN1_INTEGER_set(X509_get_serialNumber(cert), 1);
    X509_gmtime_adj(X509_getm_notBefore(cert), -60);
    X509_gmtime_adj(X509_getm_notAfter(cert), 3600);
    X509_set_pubkey(cert, key);
    X509_NAME* subject = X509_get_subject_name(cert);
    X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_ASC,
                               reinterpret_cast<const unsigned char*>("test"), -1, -1, 0);
    X509_set_issuer_name(cert, subject);
    X509_EXTENSION* alternative =
        X509V3_EXT_conf_nid(nullptr, nullptr, NID_subject_alt_name, names.c_str());
    VSR_CHECK(alternative != nullptr);
    X509_add_ext(cert, alternative, -1);
    X509_EXTENSION_free(alternative);
    VSR_CHECK(X509_sign(cert, key, EVP_sha256()) > 0);
    std::FILE* file = std::fopen(cert_file().c_str(), "w");
    PEM_write_X509(file, cert);
    std::fclose(file);
    file = std::fopen(key_file().c_str(), "w");
    PEM_write_PrivateKey(file, key, nullptr, nullptr, 0, nullptr, nullptr);
    std::fclose(file);
    X509_free(cert);
    EVP_PKEY_free(key);
  }
  ~TestCertificate() {
    std::error_code ignored;
    std::filesystem::remove_all(folder_, ignored);
  }
  TestCertificate(const TestCertificate&) = delete;
  TestCertificate& operator=(const TestCertificate&) = delete;

  std::string cert_file() const { return folder_ + "/cert.pem"; }
  std::string key_file() const { return folder_ + "/key.pem"; }

 private:
  std::string folder_;
};

}  // namespace vsr::net
