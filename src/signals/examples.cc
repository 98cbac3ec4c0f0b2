#include "signals/examples.h"

#include <algorithm>

namespace vsr::signals {

namespace {

using enum config::SignalType;

constexpr std::string_view kSatisfied[] = {
    "Thanks, that works.",     "Perfect, exactly what I needed.", "Great answer, thank you!",
    "That solved my problem.", "Awesome, it runs now.",           "谢谢，这样就可以了",
    "太好了，问题解决了",
};
constexpr std::string_view kNeedClarification[] = {
    "I don't understand, can you explain that again?",
    "What do you mean by that?",
    "Could you explain the second step in more detail?",
    "I am confused, can you give an example?",
    "Can you say that in simpler words?",
    "没看懂，能再解释一下吗？",
    "这一步是什么意思？",
};
constexpr std::string_view kWantDifferent[] = {
    "Can you give me another version?",
    "Try a different approach.",
    "I would like something else instead.",
    "Show me an alternative.",
    "Rewrite it in another style.",
    "换一种方法",
    "再给我一个不同的版本",
};
constexpr std::string_view kWrongAnswer[] = {
    "That is wrong.",
    "Your answer is incorrect.",
    "No, this does not work, I still get the error.",
    "That is not what I asked for.",
    "You made a mistake in the calculation.",
    "不对，你算错了",
    "答案是错的",
};
constexpr std::string_view kNeedsFactCheck[] = {
    "When was the first transatlantic telegraph cable laid?",
    "How many people live in Tokyo?",
    "Who won the Nobel Prize in Physics in 2010?",
    "What is the capital of Australia?",
    "Is it true that aspirin thins the blood?",
    "What year did the Berlin Wall fall?",
    "How high is Mount Kilimanjaro?",
    "Which country exports the most coffee?",
    "长江有多长？",
    "谁发明了电话？",
};
constexpr std::string_view kNoFactCheck[] = {
    "Write a poem about autumn.",
    "Refactor this function to use a loop.",
    "What do you think of my essay?",
    "Translate this sentence into French.",
    "Fix the bug in this code.",
    "Give me ideas for a birthday party.",
    "Summarize the text below.",
    "Calculate 15 percent of 80.",
    "Hello, how are you?",
    "写一首关于秋天的诗",
    "帮我修改这段代码",
};
constexpr std::string_view kText[] = {
    "Explain how photosynthesis works.", "Write a function that sorts a list.",
    "Translate this paragraph.",         "What is the weather like today?",
    "Summarize this article.",           "Describe the painting in words.",
    "How do I draw a circle in CSS?",    "解释一下这段代码",
};
constexpr std::string_view kPicture[] = {
    "Draw a picture of a cat on a sofa.",
    "Generate an image of a mountain at sunset.",
    "Create a logo for my bakery.",
    "Make an illustration of a robot reading a book.",
    "Paint a portrait in the style of Van Gogh.",
    "画一只猫",
    "生成一张山的图片",
};
constexpr std::string_view kTextAndPicture[] = {
    "Write a story about a dragon and draw a picture for it.",
    "Explain the water cycle and generate a diagram image.",
    "Describe a recipe and create a photo of the dish.",
    "写一个故事并配一张插图",
};

constexpr BuiltInClass kClasses[] = {
    {kUserFeedback, "satisfied", kSatisfied},
    {kUserFeedback, "need_clarification", kNeedClarification},
    {kUserFeedback, "want_different", kWantDifferent},
    {kUserFeedback, "wrong_answer", kWrongAnswer},
    {kFactCheck, "needs_fact_check", kNeedsFactCheck},
    {kFactCheck, "no_fact_check_needed", kNoFactCheck},
    {kModality, "AR", kText},
    {kModality, "DIFFUSION", kPicture},
    {kModality, "BOTH", kTextAndPicture},
};

}  // namespace

std::span<const BuiltInClass> built_in_classes() { return kClasses; }

bool is_built_in(config::SignalType type) {
  return std::ranges::any_of(kClasses, [&](const BuiltInClass& one) { return one.type == type; });
}

}  // namespace vsr::signals
