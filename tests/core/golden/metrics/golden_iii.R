# Reference values with standard errors: concordance, Brier score and AUC of every cause, incidence with delayed
# entry, censoring distribution with ties.
# Run in this folder: Rscript golden_iii.R  (writes golden_iii.json; needs survival, riskRegression, prodlim, cmprsk)
suppressPackageStartupMessages({library(survival); library(riskRegression); library(prodlim); library(cmprsk)})
data(cancer, package = "survival")

number <- function(x) paste0("[", paste(ifelse(is.na(x), "null", formatC(x, digits = 17, format = "g", width = 1)), collapse = ","), "]")
object <- function(...) {
  parts <- list(...)
  paste0("{", paste(sprintf("\"%s\": %s", names(parts), unlist(parts)), collapse = ",\n "), "}")
}
text <- function(x) paste0("\"", x, "\"")
versions <- paste(c(R.version.string, sapply(c("survival", "riskRegression", "prodlim", "cmprsk"),
  function(p) paste(p, packageVersion(p)))), collapse = ", ")

# Concordance and its infinitesimal jackknife, with ties in time and score: veteran lung cancer trial.
v <- veteran
plain <- concordance(Surv(time, status) ~ karno, data = v, reverse = TRUE)
strata <- concordance(Surv(time, status) ~ karno + strata(trt), data = v, reverse = TRUE)
clusters <- concordance(Surv(time, status) ~ karno, data = v, reverse = TRUE, cluster = as.integer(v$celltype))
uno_weight <- concordance(Surv(time, status) ~ karno, data = v, reverse = TRUE, weights = v$diagtime, timewt = "n/G2", ymax = 300)

# Censoring distribution: at a tied time events leave before censorings.
asked <- c(50, 100, 182, 200, 400)
rounded <- ceiling(v$time / 20) * 20
v$rounded <- rounded
censoring <- prodlim(Hist(rounded, status) ~ 1, data = v, reverse = TRUE)

# The cohort of golden_ii.R, without ties.
set.seed(1)
n <- 220
x <- round(rnorm(n), 2)
time <- rexp(n, exp(0.8 * x) / 10)
censored <- rexp(n, 1 / 14)
status <- as.integer(time <= censored)
duration <- pmin(time, censored)
times <- c(2, 5, 8)
risk <- sapply(times, function(t) 1 - exp(-t / 12 * exp(0.7 * x)))
cause <- ifelse(status == 1, 1 + rbinom(n, 1, plogis(-0.3 - 0.5 * x)), 0)
incidence <- 0.6 * risk
other <- 0.35 * sapply(times, function(t) 1 - exp(-t / 12 * exp(-0.2 * x)))
# The error of an AUC takes code 1 for the cause asked about whatever cause= says, so cause 2 is renamed.
d <- data.frame(duration, status, cause, swapped = c(0, 2, 1)[cause + 1], x)
scored <- function(model, formula) {
  s <- Score(list(model = model), formula = formula, data = d, times = times, cause = 1, cens.model = "km",
             summary = "ipa", se.fit = TRUE, conservative = FALSE, null.model = TRUE)
  brier <- s$Brier$score[s$Brier$score$model == "model", ]
  null <- s$Brier$score[s$Brier$score$model == "Null model", ]
  object(auc = number(s$AUC$score$AUC), auc_error = number(s$AUC$score$se), brier = number(brier$Brier),
         brier_error = number(brier$se), scaled_brier = number(brier$IPA), null_brier = number(null$Brier))
}

# Incidence of two causes: Aalen's variance without ties (cmprsk), the infinitesimal jackknife with ties (survfit).
rounded_duration <- ceiling(duration)
gray <- cuminc(duration, cause, cencode = 0)
at <- timepoints(gray, c(2, 5, 8))
multi <- survfit(Surv(rounded_duration, factor(cause, 0:2)) ~ 1)
multi_at <- summary(multi, times = c(2, 5, 8))
entry <- ifelse(seq_len(n) %% 4 == 0, rounded_duration / 2, 0)
id <- seq_len(n)
late <- survfit(Surv(entry, rounded_duration, factor(cause, 0:2)) ~ 1, id = id)
late_at <- summary(late, times = c(2, 5, 8))
weight <- 1 + seq_len(n) %% 3
weighted <- survfit(Surv(rounded_duration, factor(cause, 0:2)) ~ 1, weights = weight)
weighted_at <- summary(weighted, times = c(2, 5, 8))

result <- object(
  made_by = text(versions),
  concordance = object(
    value = number(coef(plain)), variance = number(plain$var),
    strata = number(coef(strata)), strata_variance = number(strata$var), cluster_variance = number(clusters$var)),
  uno_weight_tau_300 = number(coef(uno_weight)),
  censoring = object(duration = number(rounded), times = number(asked), survival = number(predict(censoring, times = asked))),
  times = number(times), other = number(other),
  survival = scored(risk, Hist(duration, status) ~ 1),
  cause_1 = scored(incidence, Hist(duration, cause) ~ 1),
  cause_2 = scored(other, Hist(duration, swapped) ~ 1),
  incidence = object(
    value_1 = number(at$est[1, ]), value_2 = number(at$est[2, ]),
    variance_1 = number(at$var[1, ]), variance_2 = number(at$var[2, ]),
    jackknife_1 = number(multi_at$std.err[, 2]), jackknife_2 = number(multi_at$std.err[, 3]),
    entry_1 = number(late_at$pstate[, 2]), entry_2 = number(late_at$pstate[, 3]),
    weight_1 = number(weighted_at$pstate[, 2]), weight_2 = number(weighted_at$pstate[, 3]))
)
writeLines(result, "golden_iii.json")
