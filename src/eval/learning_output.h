#pragma once

// The evaluation of learning as text for a terminal and as JSON Lines. Pure.

#include <string>
#include <vector>

#include "eval/frontier.h"
#include "eval/learning_run.h"

namespace vsr::eval {

std::string to_json(const Row& row);
std::string to_json(const Frontier& frontier);

// "coding/real4, λ = 1 USD"
std::string title_of(const Cell& cell);

// A table per cell, the best of every column marked.
std::string cell_tables(const std::vector<Row>& rows);
// Regret by cell and policy, and the mean over the cells of AgentMix.
std::string grid_table(const std::vector<Row>& rows);
std::string frontier_table(const std::vector<Frontier>& frontiers);

// Rows of one cell, in order.
std::vector<std::vector<Row>> by_cell(const std::vector<Row>& rows);
// Of the rows of one cell: the constant, and the other baseline, with the lowest objective; null if
// there is none.
const Row* best_constant(const std::vector<Row>& rows);
const Row* best_baseline(const std::vector<Row>& rows);

}  // namespace vsr::eval
