package contract

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// recorded is one file of answers in testdata: an operation, perhaps with what is special about the answer, and a status.
type recorded struct {
	name      string // without the kind
	operation string
	status    int
	kind      string
	body      []byte
}

var answerName = regexp.MustCompile(`^(([a-zA-Z0-9]+)(-[a-z_-]+)?\.([0-9]{3}))\.([a-z]+)$`)

func recordedAnswers(t *testing.T, panel string) (answers []recorded, sources map[string]string) {
	t.Helper()
	folder := filepath.Join("..", "testdata", panel)
	files, err := os.ReadDir(folder)
	require.NoError(t, err)
	sources = map[string]string{}
	for _, f := range files {
		m := answerName.FindStringSubmatch(f.Name())
		if !assert.NotNil(t, m, "%s is not named <operation>.<status>.<kind>", f.Name()) {
			continue
		}
		text, err := os.ReadFile(filepath.Join(folder, f.Name()))
		require.NoError(t, err)
		if m[5] == "source" {
			sources[m[1]] = strings.TrimSpace(string(text))
			continue
		}
		status, err := strconv.Atoi(m[4])
		require.NoError(t, err)
		answers = append(answers, recorded{m[1], m[2], status, m[5], text})
	}
	return answers, sources
}

// header is what the answer came with; nothing came with an empty one.
func (a recorded) header() http.Header {
	kinds := map[string]string{"json": "application/json", "html": "text/html", "txt": "text/plain"}
	if len(a.body) == 0 {
		return nil
	}
	return http.Header{"Content-Type": {kinds[a.kind]}}
}

// outside are recorded answers that are not as the file has them, and are in testdata for that.
var outside = map[string]string{
	"ospab/listVPS-data.200":             "nulls where the older code has none",
	"ospab/listVPS-foo.200":              "an object that is no list",
	"ospab/listVPS-vps.200":              "nulls where the older code has none",
	"ospab/listVPS.200":                  "nulls where the older code has none",
	"ospab/syncVPS-create.201":           "a field that nobody knows",
	"solusvm2/createComputeResource.201": "PHP writes an empty object as []",
	"solusvm2/getServer-legacy.200":      "PHP writes numbers and booleans as text",
	"solusvm2/getUsage-cpu.200":          "PHP writes numbers as text",
	"solusvm2/getUsage.200":              "PHP writes an empty object as []",
	"virtfusion/getSelfServiceUsage.200": "PHP writes numbers as text, as in other answers about credit",
	"virtfusion/listServerActions.200":   "a number as text, which no source shows here",
	"virtfusion/updateISO.200":           "an answer that is not the record, because nobody has seen what it is",
}

func TestRecordedAnswersAreAsTheFileHasThem(t *testing.T) {
	t.Parallel()
	for panel := range specs {
		t.Run(panel, func(t *testing.T) {
			t.Parallel()
			s := load(t, panel)
			answers, _ := recordedAnswers(t, panel)
			for _, a := range answers {
				t.Run(a.name, func(t *testing.T) {
					t.Parallel()
					rt := s.byID(a.operation)
					require.NotNil(t, rt, "the file has no such operation")
					problems := s.checkAnswer(rt, a.status, a.header(), a.body)
					if reason := outside[panel+"/"+a.name]; reason != "" {
						assert.NotEmpty(t, problems, "the answer is as the file has it: it does not need its exception (%s)", reason)
						return
					}
					assert.Empty(t, problems)
				})
			}
			for name := range outside {
				if of, answer, _ := strings.Cut(name, "/"); of == panel {
					assert.True(t, slices.ContainsFunc(answers, func(a recorded) bool { return a.name == answer }), "there is no answer %s", name)
				}
			}
		})
	}
}

// TestEachRecordedAnswerSaysWhereItComesFrom also prints how many there are of each source, for the README.
func TestEachRecordedAnswerSaysWhereItComesFrom(t *testing.T) {
	t.Parallel()
	for panel := range specs {
		t.Run(panel, func(t *testing.T) {
			t.Parallel()
			answers, sources := recordedAnswers(t, panel)
			counts := map[string]int{}
			for _, a := range answers {
				source, known := sources[a.name]
				if !assert.True(t, known, "%s has no source", a.name) {
					continue
				}
				delete(sources, a.name)
				kind, why, _ := strings.Cut(source, ":")
				assert.Contains(t, []string{"vendor-shaped", "observed", "constructed", "manual"}, kind, a.name)
				assert.NotEmpty(t, strings.TrimSpace(why), "%s: from where?", a.name)
				counts[kind]++
			}
			assert.Empty(t, sources, "sources without an answer")
			summary := fmt.Sprintf("%d recorded answers: vendor-shaped %d, observed %d, constructed %d",
				len(answers), counts["vendor-shaped"], counts["observed"], counts["constructed"]+counts["manual"])
			if n := counts["manual"]; n > 0 {
				summary += fmt.Sprintf(" (of which %d have their texts from a manual)", n)
			}
			t.Log(panel + ": " + summary)
		})
	}
}
