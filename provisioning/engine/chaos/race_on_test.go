//go:build unix && race

package main

// raceDetector tells that the test and its workers run under the race detector, which makes the embedded database slower by ten times and more.
const raceDetector = true
