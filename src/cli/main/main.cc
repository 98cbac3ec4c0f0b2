#include "cli/program.h"

int main(int argc, char** argv) { return vsr::cli::run(argc, argv, VSR_VERSION); }
