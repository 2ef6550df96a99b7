package virtfusion_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/hvpanels/hvpanels/provisioning"
)

// since71 returns the operations of panel 7.1 from the list of operations, as patterns of "PUT /path".
func since71(t *testing.T) []*regexp.Regexp {
	t.Helper()
	list, err := os.ReadFile(filepath.Join("..", "testdata", "operations", "virtfusion.tsv"))
	require.NoError(t, err)
	var all []*regexp.Regexp
	for line := range strings.Lines(string(list)) {
		if cells := strings.Split(line, "\t"); cells[5] == "new-docs" {
			path := regexp.MustCompile(`\\\{[^}]*\\\}`).ReplaceAllString(regexp.QuoteMeta(cells[1]), `[^/]+`)
			all = append(all, regexp.MustCompile("^"+cells[0]+" "+path+"$"))
		}
	}
	require.NotEmpty(t, all)
	return all
}

// Each operation that came with 7.1 says so when an older panel has no route for it, and no other operation does.
func TestAMissingRouteNamesTheVersionWhereOneIsNeeded(t *testing.T) {
	t.Parallel()
	newer := since71(t)
	for _, group := range operationTables() {
		for _, op := range group {
			needs := false
			for _, pattern := range newer {
				needs = needs || pattern.MatchString(op.method+" "+op.path)
			}
			t.Run(op.name, func(t *testing.T) {
				t.Parallel()
				c, _ := newClient(t, answer{status: 404, body: []byte(`{"message":"Not Found"}`)})
				_, err := op.call(t.Context(), c)
				require.ErrorIs(t, err, provisioning.NoRoute)
				assert.Equal(t, needs, strings.Contains(err.Error(), "this operation needs panel 7.1 or later"), err)

				c, _ = newClient(t, answer{status: 404, body: []byte(`{"msg":"record not found"}`)})
				_, err = op.call(t.Context(), c)
				require.ErrorIs(t, err, provisioning.NotFound)
				assert.NotContains(t, err.Error(), "7.1", "the panel knows the operation")
			})
		}
	}
}
