# Problem A in mrgsolve: told a relative tolerance a line, answers when in.csv is solved into out.bin.

suppressMessages(library(mrgsolve))
folder <- commandArgs(trailingOnly = TRUE)[1]

code <- "
$PARAM cl = 0.127, vc = 2.62, q = 0.544, vp = 2.97, vmax = 8.81, km = 8.92
$CMT CENT PERI AUC
$ODE
double conc = CENT / vc;
double net = q * conc - q / vp * PERI;
dxdt_CENT = -net - cl * conc - vmax * conc / (km + conc);
dxdt_PERI = net;
dxdt_AUC = conc;
$TABLE
double CP = CENT / vc;
$CAPTURE CP
"
model <- mcode("problem_a", code, quiet = TRUE)

input <- file("stdin", "r")
while (length(line <- readLines(input, n = 1)) > 0) {
  relative <- as.numeric(line)
  patients <- read.csv(file.path(folder, "in.csv"))
  patients$ID <- seq_len(nrow(patients))
  doses <- data.frame(k = 0:17)
  doses$time <- 21 * doses$k
  doses$per_kg <- ifelse(doses$k == 0, 8, 6)
  doses$duration <- ifelse(doses$k == 0, 90, 30) / 1440
  events <- merge(patients, doses)
  events <- events[order(events$ID, events$time), ]
  events$amt <- events$per_kg * events$weight
  events$rate <- events$amt / events$duration
  events$evid <- 1
  events$cmt <- 1
  found <- mrgsim_df(
    update(model, rtol = relative, atol = 10 * relative, maxsteps = 200000),
    data = events[, c("ID", "time", "amt", "rate", "evid", "cmt", "cl", "vc", "q", "vp", "vmax", "km")],
    end = 378, delta = 1, obsonly = TRUE
  )
  connection <- file(file.path(folder, "out.bin"), "wb")
  writeBin(as.vector(rbind(found$CP, found$AUC)), connection)
  close(connection)
  cat("solved\n")
  flush(stdout())
}
