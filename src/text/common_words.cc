#include "text/common_words.h"

#include <algorithm>

namespace vsr::text {
namespace {

// Words whose reversal or ROT13 form is a word too (dna, emit, saw) stand here so that they count
// as what they are.
constexpr std::string_view kWords =
    "able about above according account act action activate active actual actually add address "
    "admin after again against agent agree all allow allowed almost along already also always am "
    "amount an and another answer any anyone anything api appear apply are area around as ask "
    "asked "
    "assistant assume at attack away back bad bank base be became because become been before begin "
    "behave behind being believe below best better between beyond big body bomb book both bring "
    "browser build business but buy by bypass call called came can cannot card care carry case "
    "cause chain cheat chance change character chat check child children choose city class clear "
    "close "
    "code come command commands common company complete computer conceal confidential "
    "configuration "
    "consider contact contain content contents context continue control conversation copy correct "
    "cost could country course create credit credentials current cut dan data database date day "
    "days dead deal death decide decode deliver describe details destroy detail developer device "
    "did die different direct directive directives disable disclose discover disregard do document "
    "does doing done down draw drop drug drugs due during each early earlier easy edit effect "
    "either else email emit enable end enemy engine enough ensure enter entire environment era "
    "error escape even event ever every everyone everything evil example except execute expect "
    "explain exploit explosive explosives export expose extract face fact fail false family far "
    "feel few field file files fill filter filters fake final finally find fire first five folder "
    "follow following food for force forget form former found four free freely from full function "
    "further gave general get girl give given go goes going gone good got government great green "
    "ground group guard guide guideline guidelines gun guns hack hacker hand happen hard harm "
    "harmful has hate have having he head health hear held hello help hence her here hidden hide "
    "high him himself his history hold home hour hours house how however human hundred idea if "
    "ignore illegal image important in include information inject injection input insert inside "
    "insult insults "
    "install instead instruct instruction instructions internal into is issue it item its itself "
    "jailbreak job join just keep key keys kill kind knew know known language large last later law "
    "lead learn least leave left less let letter level life light like limit limits line list "
    "little live load local lock log login long longer look loot lose lot love low made mail main "
    "make "
    "making malware man manner many matter may me mean means meet member message messages method "
    "middle might mind minute mode model moment money month more morning most mother move much "
    "must my myself name nation need never new next night no nobody none nor not note notes "
    "nothing now "
    "number obey obtain of off offer often old on once one only open operate or order original "
    "other our out outline output over override overwrite own page paper part party pass password "
    "passwords past path pay peek people perhaps permission permissions person pets phone pick "
    "phrase "
    "place plan please point poison policy pots power present pretend previous previously print "
    "printed prior private problem proceed process produce program programs project prompt prompts "
    "protect protocol provide public purpose put question quick quickly quietly quite rather reach "
    "read reader ready real really reason recent refuse refusal regard regardless release remember "
    "remove repeat repeatedly reply report request require respond response rest restrict "
    "restricted restrictions result retrieve return reveal right role root rule rules run safe "
    "safety said same save saw say saying school search second secret secrets security see seem "
    "seen sell send sensitive sent sentence serve server service set several shall share she shell "
    "should show side silently simple since sit six small so social some someone something soon "
    "source speak special stab start state status stay steal step steps still stop store story "
    "street string strong student study stuff substance such sum sure suspend system systems take "
    "talk tar target tell ten term terms terror test text than thank that the their them "
    "themselves then there these they thing things think this those though thought thousand three "
    "through thus time to today together told token ton too took tool tools top total toward trap "
    "true truth try tub turn two type under understand unfiltered unless unlimited unlock "
    "unrestricted until up upload upon upper us use used user users using value very view violence "
    "virus visit voice wait walk want wanted war ward warning was watch water way we weapon "
    "weapons "
    "website week well went were what when where whether which while white who whole whom whose "
    "why wife will wish with within without woman won word words work world would write writing "
    "written wrong year years yes yet you young your yours yourself dna terra balk onyx vex pyre "
    "sync are ones deed noon level mom dad pop bob eve pip nap pan god dog war raw nip "
    "pin tip pit top pot net nit tin tap pat rat star rats tops spot mad dam led del bin nib lap "
    "pal rap par gum mug gas sag bus sub bag gab bat tab but mar arm ram sin nis lit til avid diva "
    "deer reed door rood doom mood flow wolf from keels sleek reward drawer lager regal parts "
    "strap "
    "smart trams spoons snoops repaid diaper stressed desserts tuna aunt";

constexpr auto make_slots() {
  std::array<uint64_t, size_t{1} << detail::kWordSlotBits> slots{};
  for (size_t begin = 0; begin < kWords.size();) {
    const size_t end = std::min(kWords.find(' ', begin), kWords.size());
    const uint64_t key = word_key(kWords.substr(begin, end - begin));
    size_t slot = detail::word_slot(key);
    while (slots[slot] != 0 && slots[slot] != key) slot = (slot + 1) % slots.size();
    if (key != 0) slots[slot] = key;
    begin = end + 1;
  }
  return slots;
}

}  // namespace

namespace detail {
constexpr std::array<uint64_t, size_t{1} << kWordSlotBits> kWordSlots = make_slots();
}  // namespace detail

}  // namespace vsr::text
