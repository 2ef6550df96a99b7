package solusvm2_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/hvpanels/hvpanels/solusvm2"
)

// TestEveryLeafOfTheAnswersArrives writes each decoded answer again and reports each leaf of the fixture that got lost or changed on the way.
func TestEveryLeafOfTheAnswersArrives(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	for _, op := range operations() {
		if seen[op.fixture] {
			continue
		}
		seen[op.fixture] = true
		t.Run(op.fixture, func(t *testing.T) {
			t.Parallel()
			a := from(t, op.fixture)
			c, _ := newClient(t, a)
			got, err := op.call(t.Context(), c)
			require.NoError(t, err)
			if len(a.body) == 0 || !isTheAnswer(got) || op.fixture == "listUsers.200" { // of the list, this operation returns one
				return
			}
			want := parseJSON(t, a.body)
			if object, ok := want.(map[string]any); ok && object["data"] != nil {
				want = object["data"]
			}
			again, err := json.Marshal(got)
			require.NoError(t, err)
			for _, problem := range lost("", want, parseJSON(t, again)) {
				t.Error(problem)
			}
		})
	}
}

// isTheAnswer reports a result that holds all of the panel's answer, and not a part of it, or none.
func isTheAnswer(got any) bool {
	switch v := got.(type) {
	case nil, json.RawMessage, *solusvm2.PasswordReset, []solusvm2.UsageItem:
		return false
	case *solusvm2.Task:
		return v != nil
	}
	return true
}

func parseJSON(t *testing.T, body []byte) any {
	t.Helper()
	d := json.NewDecoder(bytes.NewReader(body))
	d.UseNumber()
	var v any
	require.NoError(t, d.Decode(&v))
	return v
}

// lost lists the leaves of in that are missing or different in out.
func lost(path string, in, out any) []string {
	var problems []string
	switch in := in.(type) {
	case map[string]any:
		other, ok := out.(map[string]any)
		if !ok && len(in) > 0 {
			return []string{fmt.Sprintf("%s: an object became %T", path, out)}
		}
		for k, v := range in {
			if k == "public_key" {
				k = "body" // the one member that is known under two names
			}
			if _, known := other[k]; !known && v != nil {
				problems = append(problems, fmt.Sprintf("%s.%s: there is no such member", path, k))
				continue
			}
			problems = append(problems, lost(path+"."+k, v, other[k])...)
		}
	case []any:
		other, ok := out.([]any)
		if len(in) > 0 && (!ok || len(other) != len(in)) {
			return []string{fmt.Sprintf("%s: a list of %d became %T of %d", path, len(in), out, len(other))}
		}
		for i, v := range in {
			problems = append(problems, lost(fmt.Sprintf("%s[%d]", path, i), v, other[i])...)
		}
	default:
		if !sameLeaf(in, out) {
			return []string{fmt.Sprintf("%s: %T %v became %T %v", path, in, in, out, out)}
		}
	}
	return problems
}

// sameLeaf compares after what PHP does to values: null is the zero value of whatever is expected, numbers come as text, and times in several formats.
func sameLeaf(in, out any) bool {
	if in == nil {
		switch out {
		case nil, "", false, json.Number("0"):
			return true
		}
		return false
	}
	a, b := fmt.Sprint(in), fmt.Sprint(out)
	if a == b {
		return true
	}
	before, errBefore := time.Parse(time.RFC3339Nano, a)
	after, errAfter := time.Parse(time.RFC3339Nano, b)
	return errBefore == nil && errAfter == nil && before.Equal(after)
}

func TestTheComparisonOfLeavesNoticesALoss(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		in, out string
		same    bool
	}{
		"a missing member":      {`{"a":{"b":1}}`, `{"a":{}}`, false},
		"a lost false":          {`{"a":false}`, `{}`, false},
		"another number":        {`{"a":1}`, `{"a":2}`, false},
		"a large number":        {`{"a":9007199254740993}`, `{"a":9007199254740992}`, false},
		"a shorter list":        {`[1,2]`, `[1]`, false},
		"a shifted time":        {`["2026-01-01T00:00:00Z"]`, `["2026-01-01T01:00:00Z"]`, false},
		"null that became text": {`[null]`, `["x"]`, false},
		"null":                  {`[null,null,null]`, `["",0,false]`, true},
		"number as text":        {`["852"]`, `[852]`, true},
		"times":                 {`["2026-01-01T00:00:00.500000Z"]`, `["2026-01-01T00:00:00.5Z"]`, true},
		"more than was sent":    {`{}`, `{"a":1}`, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			assert.Equal(t, c.same, len(lost("", parseJSON(t, []byte(c.in)), parseJSON(t, []byte(c.out)))) == 0)
		})
	}
}
