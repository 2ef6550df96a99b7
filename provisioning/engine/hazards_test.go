package engine_test

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// hazards are the ways in which keeping records on an OSPAB panel can go wrong, and where each is tested: "panel" stands for the tests of package ospabpanel, "engine" for those of this one. The names of the tests
// carry the number, as TestH07... or TestH16H17... does.
var hazards = []struct {
	number int
	what   string
	where  string
}{
	{1, "the panel is down when the server exists", "engine"},
	{2, "the process dies between an attempt and its result", "engine"},
	{3, "a setting is missing or bad", "panel"},
	{4, "the panel never answers", "panel"},
	{5, "everything is retried at once when the panel comes back", "engine"},
	{6, "retries that never end, or end unseen", "engine"},
	{7, "a timeout after the commit", "panel engine"},
	{8, "resolving a create of unknown fate", "panel engine"},
	{9, "names that are not unique", "panel"},
	{10, "500 after the commit", "panel"},
	{11, "a success that names no record", "panel"},
	{12, "net/http repeats a POST by itself", "panel"},
	{13, "a connection that was kept alive ends", "panel"},
	{14, "deleting an unknown id", "panel"},
	{15, "updating an unknown id", "panel engine"},
	{16, "an update before the create has an id", "engine"},
	{17, "a late retry brings back an old status", "engine"},
	{18, "a deletion while something else waits", "engine"},
	{19, "a deletion that fails after the server is gone", "panel engine"},
	{20, "an id that is another customer's", "panel engine"},
	{21, "staging and production are mixed up", "engine"},
	{22, "the panel's database was restored", "engine"},
	{23, "two workers on one ledger", "engine"},
	{24, "the main site's user id is sent", "panel"},
	{25, "the single sign-on's id misleads", "panel"},
	{26, "the customer has no panel user yet", "engine"},
	{27, "a record that its customer never sees", "panel"},
	{28, "memory in GB", "panel"},
	{29, "memory converted twice", "panel"},
	{30, "memory in bytes of a hypervisor", "panel"},
	{31, "disk in TB or bytes", "panel"},
	{32, "zero or negative resources", "panel"},
	{33, "text that is too long or empty", "panel"},
	{34, "a status that the panel does not know", "panel"},
	{35, "a hypervisor's code in the place of its word", "panel"},
	{36, "zero values wipe columns", "panel"},
	{37, "an address is sent", "panel"},
	{38, "a hiccup is read as a deletion", "panel"},
	{39, "a status that nobody has seen is reported", "engine"},
	{40, "a suspension is overwritten by a poll", "panel"},
	{41, "the key is wrong", "panel engine"},
	{42, "the key is too short", "panel"},
	{43, "the key is a published sample", "panel"},
	{44, "the key leaks by a redirect", "panel"},
	{45, "the key leaks in logs and errors", "panel"},
	{46, "plain http in production", "panel"},
	{47, "slips in the address", "panel"},
	{48, "errors that are not JSON", "panel engine"},
	{49, "200, 201 or 204", "panel"},
	{50, "the endpoint is gone", "panel engine"},
	{51, "a permanent refusal is retried for ever", "panel engine"},
	{52, "throttling", "panel"},
	{53, "an endless answer", "panel"},
	{54, "the key is changed without overlap", "panel engine"},
	{55, "the same status again and again", "engine"},
	{56, "a status that flaps", "engine"},
	{57, "many at once", "engine"},
	{58, "one bad service blocks all", "engine"},
	{59, "a list that cannot be read is taken for an empty one", "panel engine"},
	{60, "the shapes of a list", "panel"},
	{61, "the customer switches a server on the panel", "engine"},
	{62, "records that nobody knows", "engine"},
	{63, "tokens belong to one user and end", "panel"},
	{64, "a token of the main site", "panel"},
	{65, "an action is repeated after a lost answer", "panel"},
	{66, "an accepted action is not a reached state", "panel"},
	{67, "foreign and impossible ids", "panel"},
	{68, "statistics of no documented shape", "panel"},
	{69, "times of many shapes", "panel"},
	{70, "fields that were added later", "panel"},
	{71, "a resync is taken for a create", "engine"},
}

var hazardNumber = regexp.MustCompile(`H(\d\d)`)

func TestEveryHazardHasItsTest(t *testing.T) {
	t.Parallel()
	tested := map[string]map[int][]string{"engine": hazardTests(t, "."), "panel": hazardTests(t, filepath.Join("..", "..", "ospabpanel"))}
	listed := map[string]bool{}
	for i, h := range hazards {
		require.Equal(t, i+1, h.number, "the list goes from H01 to H71 without a gap")
		for _, where := range strings.Fields(h.where) {
			assert.NotEmpty(t, tested[where][h.number], "H%02d (%s) has no test in %s", h.number, h.what, where)
			listed[fmt.Sprintf("%s H%02d", where, h.number)] = true
		}
	}
	require.Len(t, hazards, 71)
	for where, numbers := range tested {
		for n, names := range numbers {
			assert.True(t, listed[fmt.Sprintf("%s H%02d", where, n)], "%v are not in the list: H%02d in %s", names, n, where)
		}
	}
}

// hazardTests lists the test functions of a folder by the numbers in their names.
func hazardTests(t *testing.T, folder string) map[int][]string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(folder, "*_test.go"))
	require.NoError(t, err)
	require.NotEmpty(t, files)
	all := map[int][]string{}
	for _, file := range files {
		parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.SkipObjectResolution)
		require.NoError(t, err)
		for _, d := range parsed.Decls {
			f, ok := d.(*ast.FuncDecl)
			if !ok || f.Recv != nil || !strings.HasPrefix(f.Name.Name, "TestH") {
				continue
			}
			for _, m := range hazardNumber.FindAllStringSubmatch(f.Name.Name, -1) {
				var n int
				_, err := fmt.Sscanf(m[1], "%d", &n)
				require.NoError(t, err)
				all[n] = append(all[n], f.Name.Name)
			}
		}
	}
	for _, names := range all {
		slices.Sort(names)
	}
	return all
}
