#pragma once

#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "sim/options.hpp"
#include "sim/random.hpp"

namespace tenure::sim {

/// Containers as Sysdig counted them in 2019: 22 % live no longer than 10 s, 39 % a minute, 54 % five
/// minutes, 77 % an hour, 86 % a day; the rest is taken as at most a week.
std::vector<quantile> container_lifetimes();

/// The age that this share of instances, in [0, 1], does not pass; log-uniform between two quantiles.
/// @pre there is at least one
nanos lifetime_at(std::span<const quantile> quantiles, double share);

/// A lifetime drawn from the quantiles, log-uniform between two of them. @pre there is at least one
nanos draw_lifetime(std::span<const quantile> quantiles, random& draw);

/// Lives that were measured: a file with one a line, as `read_span` reads it; empty lines and those that
/// begin with '#' are passed over. Their distribution, or nothing when the file cannot be read.
std::vector<quantile> lifetimes_from_file(
    const std::string& file, const std::function<std::optional<nanos>(std::string_view)>& read_span);

/// Multiplies every age, so that the shape of a distribution fits a short run.
std::vector<quantile> scaled(std::vector<quantile> quantiles, double factor);

}  // namespace tenure::sim
