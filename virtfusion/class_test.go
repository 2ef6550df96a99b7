package virtfusion_test

import (
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

var (
	apiLine   = regexp.MustCompile(`(?m)^// API: ([A-Z]+) (\S+)$`)
	classLine = regexp.MustCompile(`(?m)^// Class: (read|set|once|set, but once .+|once, but set .+)\.\n// API: ([A-Z]+) (\S+)$`)
	parameter = regexp.MustCompile(`\{\w+\}`)
)

// documentedClass is the class that the comment of a method tells.
type documentedClass struct {
	class    string
	path     *regexp.Regexp
	literals int // parts of the path that are no parameter: of two templates that fit, the one with more is meant
}

// documentedClasses returns them by HTTP method.
func documentedClasses(t *testing.T) map[string][]documentedClass {
	t.Helper()
	files, err := filepath.Glob("*.go")
	require.NoError(t, err)
	all, operations, told := map[string][]documentedClass{}, 0, 0
	for _, file := range files {
		src, err := os.ReadFile(file)
		require.NoError(t, err)
		if strings.HasSuffix(file, "_test.go") {
			continue
		}
		operations += len(apiLine.FindAll(src, -1))
		for _, m := range classLine.FindAllStringSubmatch(string(src), -1) {
			told++
			path := parameter.ReplaceAllString(m[3], "[^/]+")
			all[m[2]] = append(all[m[2]], documentedClass{m[1], regexp.MustCompile("^" + path + "$"), strings.Count(m[3], "/") - strings.Count(m[3], "{")})
		}
	}
	require.NotZero(t, operations)
	require.Equal(t, operations, told, "each operation's comment ends in its class and its API line")
	return all
}

// TestTheCommentOfEachMethodTellsItsClass holds the comments against the classes that TestAnUnclearAnswerIsRepeatedOnlyWhereThatIsSafe proves.
func TestTheCommentOfEachMethodTellsItsClass(t *testing.T) {
	t.Parallel()
	documented, proven := documentedClasses(t), writeClasses()
	for _, group := range operationTables() {
		for _, op := range group {
			want := "read"
			if op.method != http.MethodGet {
				want = proven[op.method+" "+op.path]
			}
			best := documentedClass{literals: -1}
			for _, d := range documented[op.method] {
				if d.literals > best.literals && d.path.MatchString(op.path) {
					best = d
				}
			}
			assert.Contains(t, strings.Fields(strings.ReplaceAll(best.class, ",", "")), want, "%s: %s %s", op.name, op.method, op.path)
		}
	}
}
