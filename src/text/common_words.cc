#include "text/common_words.h"

#include <algorithm>

namespace vsr::text {
namespace {

// Words whose reversal or ROT13 form is a word too (dna, emit, saw) stand here so that they count
// as what they are.
constexpr std::string_view kWords =
    "ability able about above absolutely abstract academic accept access accident according "
    "account accurate across act action activate active activities actual actually add addition "
    "additional address admin adults advertising advice affected after afterwards again against "
    "agent agree agreement algorithm aligned all allow allowed almost along already also "
    "alternative although always am amount an and another answer any anyone anything api appear "
    "append application applied apply approach appropriate approval approve are area argument "
    "around article artificial as ask asked assist assistant associated assume at attack attempt "
    "attention audience author authority automated available average away back backup bad balance "
    "bank base be became because become been before begin beginning behalf behave behavior behind "
    "being believe below benefits best better between beyond biases bicycle big billing binding "
    "blocked body bomb book both bottom bought boundaries brackets brakes branch breaking breaks "
    "bridge bring broken brother browser budget build bullet business but button buy by bypass "
    "calculate calendar call called came camera campaign can cancel cancelled candidate cannot "
    "capital card care careful carrier carry case caught cause caution cellar censorship certain "
    "chain chance change channel chapter character charge chat chatbot chatgpt cheat check "
    "checkout child children choice choose church cipher city class classify clause cleaning "
    "clear client close code coffee colleague collect collector college column combine come "
    "command commands comment commit common community company compare competition competitor "
    "complaint complete complex compliance comply compose computer conceal concern conclude "
    "concrete condition conduct confidence confident confidential config configuration confirm "
    "confirmation conflict connect conscious consent consequences consequently consider "
    "constraints construction contact contain content contents context continue contract control "
    "controlled conversation convert convincing cooking copy copyright correct cost could council "
    "countries country couple coupon course create creative creator credentials credit criteria "
    "critical culture current customer cut damage dan dangerous dangers data database date day "
    "days dead deal death decide decline decode default defined degree delete deliver delivery "
    "dentist department depends deploy describe description designed desirable destroy detail "
    "details determine develop developer development deviation device dialogue did die difference "
    "different digital dignity direct directive directives directory disable discharge disclose "
    "discount discover discuss display dispute disregard do doctor document does doing dollars "
    "domain done down download draw driven driver drives drop drug drugs due duplicates during "
    "duties each earlier early easiest easy edit educational effect effective either electric "
    "electricity eleven else email emergency emit emotional emotions employee enable encode end "
    "enemy energy engine enough ensure enter entire entity entrance entries environ environment "
    "era error escape especially ethical ethics evaluation even event ever every everyone "
    "everything evil exactly example except excerpt excessive exchange execute exercise existed "
    "expect expensive experience experiment expert explain explanation explicit exploit explosive "
    "explosives export expose extended extract face fact fail fake false family far feedback feel "
    "feelings few fictional field figure file files fill filter filters final finally financial "
    "find findings finish fire first five flight folder follow following food for forbidden force "
    "forever forget form format former formula forward found four framework free freedom freely "
    "freeze frequency friend from frozen full function fundamental further future gained garden "
    "gathering gave general generate generator get getting girl give given go goes going gone "
    "good got government great green greeting ground group guard guardrails guide guideline "
    "guidelines gun guns hack hacker hand handle happen hard harm harmful has hate have having he "
    "head health hear heating height held hello help helpful hence her here hidden hide high "
    "highest him himself hiring his history hold holders home homework honest hour hours house "
    "how however human humanity hundred hurtful hypothetical idea identity if ignore illegal "
    "image imagine immediately immoral impact implement import important impossible in incident "
    "include incoming incorrect independent individuals inflation information initial initiated "
    "inject injection input insert inside inspection install instead instruct instruction "
    "instructions insult insults insurance intelligence intelligent intended interested internal "
    "internet into introduce invalid invisible invoice involving irrelevant is issue it item its "
    "itself jailbreak jailbroken job join jurisdiction just keep kettle key keys kill kind "
    "kitchen knew know knowledge known labels landlord landmarks language laptop large last later "
    "latest law lead leaflet learn least leave lecture left legality legally length less let "
    "letter level library licence life lifted light lighthouse like limit limitations limits line "
    "list listen little live load local location lock log logging login long longer look loot "
    "lose lot love low lyrics machine made mail main maintenance make making malicious malware "
    "man management manager mandatory manner manual many market master materials matter maximum "
    "may me mean means measured measures meet member memory mention message messages metadata "
    "method metrics middle might mind minimum ministry minority minute mirror missing mission "
    "mistakes mode model moderation modify module moment money month morality morally morals more "
    "morning most mother move much multiple museum must my myself name nation natural nature "
    "necessary need negative neither network neutral never new newspaper next night no nobody "
    "none nor normal not note notes nothing notice now number obey object objective obtain "
    "occurred of off offensive offer office official often old on once one online only open "
    "operate operator opinion opposite option or order ordinary original other otherwise our out "
    "outcome outgoing outline output outside over overall override overwrite own package page "
    "painted pairing paper paragraph parallel parameters parking part particular party pass "
    "passport password passwords past path patient pattern pay payable payment peek people "
    "perfect perform perhaps period permanently permission permissions permit person personal "
    "personality pets phishing phone phrase physical physics pick pirate place plan platform "
    "played playing please point poison police policies policy politely political population "
    "position positive possess possible potential pots power powerful practice praise preceding "
    "preferences prefix premium prescription present pretend prevent previous previously prices "
    "primary principles print printed printers prior priority prison privacy private probably "
    "problem procedure proceed process produce product professional program programmed "
    "programming programs project promote prompt prompts property protect protocol provide public "
    "publish purchase purpose put python quarter question quick quickly quietly quite radius "
    "railing random rather reach reaction read reader ready real realistic reality realized "
    "really reason receipt received receiving recent recipe recommend record reference refund "
    "refusal refuse regard regardless register regular regulations reject release religion "
    "remainder remaining remark remember remind remote remove repair repeat repeatedly replace "
    "replies reply report repository reputation request require requirements research researchers "
    "reservation reserved residents resources respect respond response responsible rest restrict "
    "restricted restrictions result retail retrieve return reveal revenue reverse review revoked "
    "right role root routes rule rules run running safe safety said salaries salary same sample "
    "sandbox save saw say saying scenario school screening script search season second secret "
    "secrets section security see seem seen select sell send sensitive sensors sent sentence "
    "sentiment separated sequence series serious serve server service session set setting settled "
    "several sexual shadow shall share she shell shelter shifts shipping shopping should show "
    "showers side signature signed silently silver similar simple simply simulate since single "
    "sit situation six skills slides slightly small snippet so social society software solution "
    "some somebody someone something sometimes soon source spaces speak special specific "
    "specifically specify speech spread spring stab standard stands start state statement static "
    "status stay steal step steps still stolen stop store story straight street strictly string "
    "strong struct student study stuff subject subsequent substance success successful such "
    "suggest sum summarise summary summer sundays supplier supplies supply support suppose "
    "suppress sure surface survey suspend switch system systems tables take talk tar target "
    "teacher technologies tell temperature ten tenant term terminal terms terror test text than "
    "thank that the their them themselves then theory there therefore these they thing things "
    "think this those though thought thousand thread threatening three through thus ticket time "
    "timeout to today together token told tomorrow ton too took tool tools top total toward "
    "traffic training transaction transfer translate trap travel treated tricks true trusted "
    "truth try tub turn twelve two type typical ultimate unable uncensored under understand "
    "understood unethical unfiltered unique united unknown unless unlimited unlock unrestricted "
    "unsafe until untrusted up update upgrade upload upon upper us use used useful user users "
    "using usually utilize value variable various vegetarian vendor verbatim verified verify "
    "version very victim view villain violate violence violent virtual virus visible visit voice "
    "wait walk want wanted war ward warehouse warning warranty was watch water way we weapon "
    "weapons weather website week weight welcome well went were what whatever when whenever where "
    "whether which while white who whoever whole whom whose why wife will window winner wish with "
    "withdraw withdrawn within without woman won word words work workers workshop world would "
    "write writing written wrong year years yes yesterday yet you young your yours yourself dna "
    "terra balk onyx vex pyre sync ones deed noon mom dad pop bob eve pip nap pan god dog raw nip "
    "pin tip pit pot net nit tin tap pat rat star rats tops spot mad dam led del bin nib lap pal "
    "rap par gum mug gas sag bus sub bag gab bat tab mar arm ram sin nis lit til avid diva deer "
    "reed door rood doom mood flow wolf keels sleek reward drawer lager regal parts strap smart "
    "trams spoons snoops repaid diaper stressed desserts tuna aunt";

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

bool is_common_form(uint64_t key) {
  if (is_common_word(key)) return true;
  constexpr std::string_view endings[] = {"s", "es", "ed", "d", "ing", "ly", "er", "ion", "ions"};
  constexpr uint64_t kThreeLetters = uint64_t{1} << 10;  // as a key at least
  for (const std::string_view ending : endings) {
    const size_t bits = 5 * ending.size();
    const uint64_t stem = key >> bits;
    if (stem < kThreeLetters || (key & ((uint64_t{1} << bits) - 1)) != word_key(ending)) continue;
    if (is_common_word(stem) || is_common_word(stem << 5 | letter_number('e'))) return true;
  }
  return false;
}

}  // namespace vsr::text
