#pragma once

#include <torch/csrc/jit/api/module.h>

#include <string>
#include <vector>

/// Brings a loaded TorchScript module into the form in which the program runs it, whatever form it
/// was saved in. Internal to stages/explain.
namespace gradcam {

struct ModuleGraph;

/// Gives the further inputs of forward, behind the picture, the defaults that the code has for
/// them; forward then takes the picture alone. Inputs without a default stay.
void fill_defaults(torch::jit::Module& module);

/// Makes what is half, bfloat16 or double float, if a parameter is: weights, constants and the
/// number formats that the code names.
void make_fp32(const torch::jit::Module& module, const std::vector<ModuleGraph>& graphs);

/// Switches to inference what eval() does not reach, because a trace has written "in training" down
/// as a constant: dropout of every kind, and norms that have running statistics. Norms without them
/// stay as they are: they have nothing else to go by. Says what was switched, "dropout of drop";
/// empty = nothing.
std::string leave_training(const std::vector<ModuleGraph>& graphs);

}  // namespace gradcam
