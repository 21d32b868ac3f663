# Reference values for Uno's concordance, dynamic AUC, scaled Brier score, smooth calibration,
# Nelson-Aalen, log-rank and restricted mean survival.
# Run in this folder: Rscript golden_ii.R  (writes golden_ii.json; needs survival, riskRegression, prodlim, pec)
suppressPackageStartupMessages({library(survival); library(riskRegression); library(prodlim); library(pec)})
data(cancer, package = "survival")

number <- function(x) paste0("[", paste(ifelse(is.na(x), "null", formatC(x, digits = 17, format = "g", width = 1)), collapse = ","), "]")
object <- function(...) {
  parts <- list(...)
  paste0("{", paste(sprintf("\"%s\": %s", names(parts), unlist(parts)), collapse = ",\n "), "}")
}
text <- function(x) paste0("\"", x, "\"")
versions <- paste(c(R.version.string, sapply(c("survival", "riskRegression", "prodlim", "pec"),
  function(p) paste(p, packageVersion(p)))), collapse = ", ")

# Nelson-Aalen, log-rank and restricted mean: veteran lung cancer trial, with many ties.
v <- veteran
entry <- ifelse(seq_len(nrow(v)) %% 3 == 0, pmin(v$time / 2, 40), 0)
asked <- c(1, 50, 100, 200, 400)
hazard <- function(fit) {
  row <- findInterval(asked, fit$time)
  object(value = number(fit$cumhaz[row]), error = number(fit$std.chaz[row]))
}
fit <- survfit(Surv(time, status) ~ 1, data = v)
fit_weight <- survfit(Surv(time, status) ~ 1, data = v, weights = v$diagtime, robust = FALSE)
fit_entry <- survfit(Surv(entry, v$time, v$status) ~ 1)
mean_until <- function(fit, tau) number(summary(fit, rmean = tau)$table[c("rmean", "se(rmean)")])
cell <- as.integer(v$celltype)
test <- function(fit) object(statistic = number(fit$chisq), observed = number(rowSums(as.matrix(fit$obs))),
                             expected = number(rowSums(as.matrix(fit$exp))))
late <- coxph(Surv(entry, v$time, v$status) ~ v$celltype, ties = "exact")$score  # its score test is the log-rank test

# Time without ties, so that no convention about them matters: concordance, AUC, Brier, calibration.
set.seed(1)
n <- 220
x <- round(rnorm(n), 2)
time <- rexp(n, exp(0.8 * x) / 10)
censored <- rexp(n, 1 / 14)
status <- as.integer(time <= censored)
duration <- pmin(time, censored)
uno <- concordance(Surv(duration, status) ~ x, reverse = TRUE, timewt = "n/G2")
uno_tau <- concordance(Surv(duration, status) ~ x, reverse = TRUE, timewt = "n/G2", ymax = 9)
times <- c(2, 5, 8)
risk <- sapply(times, function(t) 1 - exp(-t / 12 * exp(0.7 * x)))
d <- data.frame(duration, status, x)
score <- Score(list(model = risk), formula = Hist(duration, status) ~ 1, data = d, times = times,
               cens.model = "km", summary = "ipa", se.fit = FALSE, null.model = TRUE)
brier <- score$Brier$score[score$Brier$score$model == "model", ]
auc <- score$AUC$score

# The same with two causes.
cause <- ifelse(status == 1, 1 + rbinom(n, 1, plogis(-0.3 - 0.5 * x)), 0)
incidence <- 0.6 * risk
d2 <- data.frame(duration, cause, x)
score2 <- Score(list(model = incidence), formula = Hist(duration, cause) ~ 1, data = d2, times = times, cause = 1,
                cens.model = "km", summary = "ipa", se.fit = FALSE, null.model = TRUE)
brier2 <- score2$Brier$score[score2$Brier$score$model == "model", ]

uno_cause <- pec::cindex(list(model = matrix(incidence[, 2], ncol = 1)), formula = Hist(duration, cause) ~ 1, data = d2,
                         cause = 1, eval.times = 9, pred.times = 5, cens.model = "marginal")

# Austin's calibration indices at 5: (sub)distribution hazard regression on a restricted cubic
# spline of cloglog(prediction) with knots at the quantiles 0.1, 0.5, 0.9.
spline <- function(u) {
  k <- quantile(u, c(.1, .5, .9))
  p3 <- function(z) pmax(z, 0)^3
  (p3(u - k[1]) - p3(u - k[2]) * (k[3] - k[1]) / (k[3] - k[2]) + p3(u - k[3]) * (k[2] - k[1]) / (k[3] - k[2])) / (k[3] - k[1])^2
}
indices <- function(observed, predicted) {
  distance <- abs(observed - predicted)
  number(c(mean(distance), quantile(distance, c(.5, .9)), max(distance)))
}
until <- function(fit, newdata, t) { h <- survfit(fit, newdata = newdata); 1 - h$surv[findInterval(t, h$time), ] }
u <- log(-log(1 - risk[, 2])); s <- spline(u)
cox <- coxph(Surv(duration, status) ~ u + s, ties = "breslow", control = coxph.control(eps = 1e-12))
seen <- until(cox, data.frame(u, s), 5)
u2 <- log(-log(1 - incidence[, 2])); s2 <- spline(u2)
fg_data <- finegray(Surv(duration, factor(cause, 0:2)) ~ ., data = data.frame(duration, cause, u2, s2, id = seq_len(n)), etype = "1")
fg <- coxph(Surv(fgstart, fgstop, fgstatus) ~ u2 + s2, weights = fgwt, data = fg_data, ties = "breslow", robust = FALSE,
            control = coxph.control(eps = 1e-12))
seen2 <- until(fg, data.frame(u2, s2), 5)

result <- object(
  made_by = text(versions),
  times = number(asked),
  nelson_aalen = hazard(fit), nelson_aalen_weight = hazard(fit_weight), nelson_aalen_entry = hazard(fit_entry),
  mean_200 = mean_until(fit, 200), mean_weight_200 = mean_until(fit_weight, 200),
  mean_entry_200 = mean_until(fit_entry, 200), mean_999 = mean_until(fit, 999),
  celltype = number(cell),
  log_rank = test(survdiff(Surv(time, status) ~ celltype, data = v)),
  log_rank_strata = test(survdiff(Surv(time, status) ~ celltype + strata(trt), data = v)),
  peto = test(survdiff(Surv(time, status) ~ celltype, data = v, rho = 1)),
  peto_strata = test(survdiff(Surv(time, status) ~ celltype + strata(trt), data = v, rho = 1)),
  log_rank_entry = number(late),
  cohort = object(duration = number(duration), event = number(status), cause = number(cause), score = number(x)),
  uno = number(coef(uno)), uno_tau_9 = number(coef(uno_tau)), uno_cause_tau_9 = number(uno_cause$AppCindex$model),
  score_times = number(times), risk = number(risk),
  auc = number(auc$AUC), brier = number(brier$Brier), scaled_brier = number(brier$IPA),
  incidence = number(incidence),
  auc_cause = number(score2$AUC$score$AUC), brier_cause = number(brier2$Brier), scaled_brier_cause = number(brier2$IPA),
  calibration = indices(seen, risk[, 2]), calibration_observed = number(seen),
  calibration_cause = indices(seen2, incidence[, 2]), calibration_cause_observed = number(seen2)
)
writeLines(result, "golden_ii.json")
