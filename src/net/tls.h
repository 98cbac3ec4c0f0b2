#pragma once

// TLS over a Stream. A ClientTls verifies against the system's store, checks the name, sends SNI
// and offers http/1.1; a ServerTls presents one certificate. Both are made once and shared by
// loops; the handshake runs on the stream's loop.

#include <memory>
#include <string>

#include "base/result.h"
#include "net/stream.h"

typedef struct ssl_ctx_st SSL_CTX;

namespace vsr::net {

class TlsContext {
 public:
  // Client side. `extra_ca_file` is trusted beside the system's store when not empty.
  static Result<std::shared_ptr<const TlsContext>> client(const std::string& extra_ca_file = "");
  // Server side; PEM files. The error says which file and what is wrong with it.
  static Result<std::shared_ptr<const TlsContext>> server(const std::string& cert_file,
                                                          const std::string& key_file);
  ~TlsContext();
  SSL_CTX* get() const { return context_; }

 private:
  explicit TlsContext(SSL_CTX* context) : context_(context) {}
  SSL_CTX* context_;
};

// Handshakes; afterwards the stream reads and writes under TLS. `name` is the host that the
// certificate must be for.
Task<Status> start_client_tls(Stream& stream, std::shared_ptr<const TlsContext> context,
                              std::string name, MonoTime deadline, CancelSource* cancel);
Task<Status> start_server_tls(Stream& stream, std::shared_ptr<const TlsContext> context,
                              MonoTime deadline, CancelSource* cancel);

}  // namespace vsr::net
