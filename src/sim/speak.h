#pragma once

// Sends one answer of a simulated backend, with its delays and its fault. The exchange is left
// unfinished where the fault wants the connection to end; every wait ends when the client goes.

#include "http/server.h"
#include "sim/state.h"

namespace vsr::sim {

net::Task<Status> speak(http::Exchange& exchange, const GenerationRequest& request,
                        const Admitted& admitted);

}  // namespace vsr::sim
