package engine_test

import (
	"flag"
	"os"
	"testing"
)

// TestMain runs more tests at once than there are processors: most of the time they wait. In a child process it is one of the programs of crash_test.go instead.
func TestMain(m *testing.M) {
	flag.Parse()
	if os.Getenv(envChild) != "" {
		os.Exit(child())
	}
	if flag.Lookup("test.parallel").Value.String() == flag.Lookup("test.parallel").DefValue {
		_ = flag.Set("test.parallel", "8")
	}
	code := m.Run()
	if base := os.Getenv(envPostgres); base != "" {
		_ = runSQL(base, "DROP DATABASE IF EXISTS "+templateName+" WITH (FORCE)")
	}
	os.Exit(code)
}
