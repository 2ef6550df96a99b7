package virtfusion_test

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/hvpanels/hvpanels/internal/opdoc"
)

// TestTheCommentOfEachMethodTellsItsClass holds the comments against the classes that TestAnUnclearAnswerIsRepeatedOnlyWhereThatIsSafe proves.
func TestTheCommentOfEachMethodTellsItsClass(t *testing.T) {
	t.Parallel()
	documented, err := opdoc.Read(".")
	require.NoError(t, err)
	proven := writeClasses()
	for _, group := range operationTables() {
		for _, op := range group {
			if op.method == http.MethodGet {
				proven[op.method+" "+op.path] = "read"
			}
		}
	}
	assert.Empty(t, opdoc.Wrong(documented, proven))
}
