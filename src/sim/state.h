#pragma once

// Everything that the loops of one simulated backend share: the script, the prefix cache, the
// journal and the counters. Thread-safe; one mutex, held for microseconds. Lives as long as its
// backend.

#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "base/clock.h"
#include "sim/auditor.h"
#include "sim/journal.h"
#include "sim/prefix_cache.h"
#include "sim/reply.h"
#include "sim/request.h"
#include "sim/script.h"

namespace vsr::sim {

struct Stats {
  uint64_t requests = 0;  // for an answer by a model
  uint64_t aborted = 0;
  uint64_t running = 0;
  uint64_t deliveries = 0;         // of tool results whose call is known
  uint64_t violations = 0;         // of these, to another model than the one that called
  uint64_t opaque_deliveries = 0;  // the same of opaque items
  uint64_t opaque_violations = 0;
};

// A request that is admitted: what to answer, and what is needed to settle it.
struct Admitted {
  Answer answer;
  Reply reply;
  std::string asked_model;
  int64_t blocks = 0;
};

class BackendState {
 public:
  BackendState(std::vector<std::string> models, size_t cache_blocks_max,
               std::shared_ptr<Auditor> auditor)
      : models_(std::move(models)), cache_(cache_blocks_max), auditor_(std::move(auditor)) {}

  const std::vector<std::string>& models() const { return models_; }
  bool serves(std::string_view model) const;

  // The next answers, behind those that wait. False if there would be more than kAnswersMax.
  bool add_answers(std::vector<Answer> answers);
  // Forgets answers, requests, counters and the prefix cache.
  void clear();

  uint64_t record(SeenRequest request);
  void set_aborted(uint64_t number, int64_t after_ms);

  // Takes the answer that the request brings or the next one, looks the prompt up in the cache,
  // counts. What will be generated is in
  // the cache from now on, so that a next turn finds it however fast it comes.
  Admitted admit(const GenerationRequest& request);
  // The request is over, however it ended.
  void release(const Admitted& admitted);

  Stats stats() const;
  std::vector<SeenRequest> requests() const;
  std::string requests_json() const;
  std::string stats_json(size_t connections) const;
  std::string metrics_text() const;

 private:
  void store_answer(const GenerationRequest& request, const Reply& reply);
  Reply make_reply(const GenerationRequest& request, const Answer& answer, const CacheUse& use);

  const std::vector<std::string> models_;
  SystemClock clock_;
  mutable std::mutex mutex_;
  std::deque<Answer> answers_;
  PrefixCache cache_;
  const std::shared_ptr<Auditor> auditor_;
  Journal journal_;
  Stats stats_;
  int64_t running_blocks_ = 0;
  int64_t prompt_tokens_ = 0;
  int64_t cached_tokens_ = 0;
  uint64_t next_id_ = 1;
};

}  // namespace vsr::sim
