# Reference values for Cox losses from R's survival package. Usage: Rscript cox.R > cox.json
# Log partial likelihoods are taken at a fixed coefficient of 1 of the given log hazards (no iterations).
suppressPackageStartupMessages(library(survival))
set.seed(20261122)
n <- 60
x <- round(rnorm(n, sd = 1.5), 6)
time <- sample(1:15, n, replace = TRUE)          # many ties
event <- rbinom(n, 1, 0.6)
entry <- pmax(time - sample(1:8, n, replace = TRUE), 0)
weight <- round(runif(n, 0.2, 3), 4)
strata_id <- sample(0:2, n, replace = TRUE)
fit_at_one <- function(formula, ties, weights) {
  environment(formula) <- environment()  # so that coxph finds the weights of this call
  coxph(formula, ties = ties, weights = weights, init = 1, control = coxph.control(iter.max = 0))
}
number <- function(v) paste0("[", paste(sprintf("%.17g", v), collapse = ", "), "]")
case <- function(name, ties, formula, weights = rep(1, n))
  sprintf('    "%s-%s": %.17g', name, ties, fit_at_one(formula, ties, weights)$loglik[1])
cases <- c()
for (ties in c("breslow", "efron")) {
  cases <- c(cases,
    case("plain", ties, Surv(time, event) ~ x),
    case("weight", ties, Surv(time, event) ~ x, weight),
    case("strata", ties, Surv(time, event) ~ x + strata(strata_id)),
    case("entry", ties, Surv(entry, time, event) ~ x),
    case("weight+strata", ties, Surv(time, event) ~ x + strata(strata_id), weight),
    case("entry+weight+strata", ties, Surv(entry, time, event) ~ x + strata(strata_id), weight))
}
baseline <- function(name, formula, weights = rep(1, n)) {
  fit <- fit_at_one(formula, "breslow", weights)
  hazard <- basehaz(fit, centered = FALSE)
  hazard <- hazard[hazard$time %in% time[event == 1], ]
  sprintf('    "%s": {"times": %s, "cumulative_hazard": %s}', name, number(hazard$time), number(hazard$hazard))
}
cat("{\n")
cat(sprintf('  "source": "%s, survival %s",\n', R.version.string, packageVersion("survival")))
cat('  "script": "cox.R",\n')
cat(sprintf('  "log_hazard": %s,\n  "duration": %s,\n  "event": %s,\n', number(x), number(time), number(event)))
cat(sprintf('  "entry": %s,\n  "weight": %s,\n  "strata": %s,\n', number(entry), number(weight), number(strata_id)))
cat('  "log_likelihood": {\n', paste(cases, collapse = ",\n"), '\n  },\n', sep = "")
cat('  "breslow": {\n', paste(c(
  baseline("plain", Surv(time, event) ~ x),
  baseline("weight", Surv(time, event) ~ x, weight),
  baseline("entry", Surv(entry, time, event) ~ x)), collapse = ",\n"), '\n  }\n}\n', sep = "")
