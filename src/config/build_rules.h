#pragma once

// Rules of the types that read what a request says beside its messages, ask a classifier by its
// name, or compare with a knowledge base: what each has besides name, description and on_error.
// Internal to the room; used once per load.

#include "config/build.h"

namespace vsr::config {

void fill(Build& build, const View& view, MetadataRule& rule);
void fill(Build& build, const View& view, EventRule& rule);
void fill(Build& build, const View& view, ClassifierRule& rule);
void fill(Build& build, const View& view, KbRule& rule);

// One rule for each role: several bindings of one role are added together.
void build_roles(Build& build, const View& list);
// Before the signals, which name them.
void build_knowledge_bases(Build& build, const View& list);
// The signal that carries a metric of a knowledge base; made when it is asked for the first time.
// kNoSignal, and an error or warning, if there is none of that name.
SignalId kb_metric(Build& build, const View& input);

}  // namespace vsr::config
