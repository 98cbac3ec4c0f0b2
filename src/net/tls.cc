#include "net/tls.h"

#include <fmt/format.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

namespace vsr::net {

namespace {

constexpr unsigned char kHttp11[] = "\x08http/1.1";
constexpr unsigned kHttp11Bytes = sizeof(kHttp11) - 1;

std::string last_problem() {
  char text[256];
  ERR_error_string_n(ERR_get_error(), text, sizeof(text));
  return text;
}

int choose_http11(SSL*, const unsigned char** out, unsigned char* out_bytes,
                  const unsigned char* in, unsigned in_bytes, void*) {
  unsigned char* chosen = nullptr;
  if (SSL_select_next_proto(&chosen, out_bytes, kHttp11, kHttp11Bytes, in, in_bytes) !=
      OPENSSL_NPN_NEGOTIATED) {
    return SSL_TLSEXT_ERR_NOACK;
  }
  *out = chosen;
  return SSL_TLSEXT_ERR_OK;
}

// Waits in the reader's place; a stream asks both places after any event.
class HandshakeOp final : public StreamOp {
 public:
  HandshakeOp(Stream& stream, SSL* session, MonoTime deadline, CancelSource* cancel)
      : StreamOp(stream, true, deadline, cancel), session_(session) {}
  Status await_resume() const {
    if (aborted_) return std::unexpected(error_of(0));
    if (problem_.empty()) return {};
    return fail(ErrorCode::kUnavailable, "TLS handshake: " + problem_, ErrorSource::kUpstream);
  }

 protected:
  bool attempt() override {
    ERR_clear_error();
    const int result = SSL_do_handshake(session_);
    if (result == 1) return true;
    const int why = SSL_get_error(session_, result);
    if (why == SSL_ERROR_WANT_READ || why == SSL_ERROR_WANT_WRITE) return false;
    const long verified = SSL_get_verify_result(session_);
    problem_ = verified != X509_V_OK ? X509_verify_cert_error_string(verified) : last_problem();
    return true;
  }

 private:
  SSL* const session_;
  std::string problem_;
};

Task<Status> handshake(Stream& stream, SSL* session, MonoTime deadline, CancelSource* cancel) {
  SSL_set_fd(session, stream.fd());
  stream.attach_tls(session);
  HandshakeOp op(stream, session, deadline, cancel);
  co_return co_await op;
}

// What both sides want. Reading ahead takes a record's head and body with one system call; released
// buffers keep an idle connection small.
SSL_CTX* new_context(const SSL_METHOD* method) {
  SSL_CTX* context = SSL_CTX_new(method);
  SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION);
  SSL_CTX_set_mode(context, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
                                SSL_MODE_RELEASE_BUFFERS);
  SSL_CTX_set_read_ahead(context, 1);
  return context;
}

}  // namespace

TlsContext::~TlsContext() { SSL_CTX_free(context_); }

Result<std::shared_ptr<const TlsContext>> TlsContext::client(const std::string& extra_ca_file) {
  SSL_CTX* context = new_context(TLS_client_method());
  std::shared_ptr<const TlsContext> out(new TlsContext(context));
  SSL_CTX_set_verify(context, SSL_VERIFY_PEER, nullptr);
  SSL_CTX_set_default_verify_paths(context);
  if (!extra_ca_file.empty() &&
      SSL_CTX_load_verify_locations(context, extra_ca_file.c_str(), nullptr) != 1) {
    return fail(ErrorCode::kInvalidArgument,
                fmt::format("cannot read certificates from {}: {}", extra_ca_file, last_problem()));
  }
  SSL_CTX_set_alpn_protos(context, kHttp11, kHttp11Bytes);
  return out;
}

Result<std::shared_ptr<const TlsContext>> TlsContext::server(const std::string& cert_file,
                                                             const std::string& key_file) {
  SSL_CTX* context = new_context(TLS_server_method());
  std::shared_ptr<const TlsContext> out(new TlsContext(context));
  SSL_CTX_set_alpn_select_cb(context, choose_http11, nullptr);
  if (SSL_CTX_use_certificate_chain_file(context, cert_file.c_str()) != 1) {
    return fail(ErrorCode::kInvalidArgument,
                fmt::format("cannot use the certificate {}: {}", cert_file, last_problem()));
  }
  if (SSL_CTX_use_PrivateKey_file(context, key_file.c_str(), SSL_FILETYPE_PEM) != 1) {
    return fail(ErrorCode::kInvalidArgument,
                fmt::format("cannot use the private key {}: {}", key_file, last_problem()));
  }
  return out;
}

Task<Status> start_client_tls(Stream& stream, std::shared_ptr<const TlsContext> context,
                              std::string name, MonoTime deadline, CancelSource* cancel) {
  SSL* session = SSL_new(context->get());
  SSL_set_tlsext_host_name(session, name.c_str());
  SSL_set_hostflags(session, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
  X509_VERIFY_PARAM* parameters = SSL_get0_param(session);
  if (X509_VERIFY_PARAM_set1_ip_asc(parameters, name.c_str()) != 1) {
    SSL_set1_host(session, name.c_str());
  }
  SSL_set_connect_state(session);
  co_return co_await handshake(stream, session, deadline, cancel);
}

Task<Status> start_server_tls(Stream& stream, std::shared_ptr<const TlsContext> context,
                              MonoTime deadline, CancelSource* cancel) {
  SSL* session = SSL_new(context->get());
  SSL_set_accept_state(session);
  co_return co_await handshake(stream, session, deadline, cancel);
}

}  // namespace vsr::net
