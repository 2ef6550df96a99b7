package provisioning_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/hvpanels/hvpanels/provisioning"
)

type limits struct {
	CPU    provisioning.Opt[int]                `json:"cpu,omitzero"`
	Name   provisioning.Opt[string]             `json:"name,omitzero"`
	Memory provisioning.Opt[provisioning.Bytes] `json:"memory,omitzero"`
	List   provisioning.Opt[[]int]              `json:"list,omitzero"`
}

func TestOptKeepsAbsentNullAndValueApart(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]limits{
		`{}`: {},
		`{"cpu":null,"name":null,"memory":null,"list":null}`: {provisioning.Null[int](), provisioning.Null[string](),
			provisioning.Null[provisioning.Bytes](), provisioning.Null[[]int]()},
		`{"cpu":0,"name":"","memory":"0B","list":[]}`: {provisioning.Some(0), provisioning.Some(""), provisioning.Some(provisioning.Bytes(0)),
			provisioning.Some([]int{})},
		`{"cpu":4,"name":"null","memory":"8GiB","list":[1,2]}`: {provisioning.Some(4), provisioning.Some("null"), provisioning.Some(8 * provisioning.GiB),
			provisioning.Some([]int{1, 2})},
		`{"name":null}`: {Name: provisioning.Null[string]()},
	} {
		b, err := json.Marshal(want)
		require.NoError(t, err)
		assert.JSONEq(t, text, string(b))
		var got limits
		require.NoError(t, json.Unmarshal([]byte(text), &got))
		assert.Equal(t, want, got)
	}
	var o provisioning.Opt[int]
	require.Error(t, json.Unmarshal([]byte(`"4"`), &o))
	assert.True(t, o.IsZero(), "what cannot be read leaves it as it was")
	require.NoError(t, json.Unmarshal([]byte(` null `), &o))
	assert.True(t, o.IsNull())
}

func TestOptAnswersForEachState(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		o            provisioning.Opt[int]
		value        int
		ok           bool
		or           int
		null, absent bool
		text         string
	}{
		"absent":       {provisioning.Opt[int]{}, 0, false, 9, false, true, ""},
		"null":         {provisioning.Null[int](), 0, false, 9, true, false, "null"},
		"a value":      {provisioning.Some(4), 4, true, 4, false, false, "4"},
		"a zero value": {provisioning.Some(0), 0, true, 0, false, false, "0"},
	} {
		value, ok := c.o.Get()
		assert.Equal(t, c.value, value, name)
		assert.Equal(t, c.ok, ok, name)
		assert.Equal(t, c.or, c.o.Or(9), name)
		assert.Equal(t, c.null, c.o.IsNull(), name)
		assert.Equal(t, c.absent, c.o.IsZero(), name)
		assert.Equal(t, c.text, c.o.String(), name)
	}
	assert.Equal(t, provisioning.Some(4), provisioning.Some(4))
	assert.NotEqual(t, provisioning.Some(0), provisioning.Opt[int]{})
}

func TestOptPrintsItsValue(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ format, some, null, absent string }{
		{"%v", "8GiB", "null", ""},
		{"%+v", "8GiB", "null", ""},
		{"%s", "8GiB", "null", ""},
		{"%q", `"8GiB"`, "null", ""},
		{"%d", "8589934592", "null", ""},
		{"%8s", "    8GiB", "null", ""},
	} {
		assert.Equal(t, c.some, fmt.Sprintf(c.format, provisioning.Some(8*provisioning.GiB)))
		assert.Equal(t, c.null, fmt.Sprintf(c.format, provisioning.Null[provisioning.Bytes]()))
		assert.Equal(t, c.absent, fmt.Sprintf(c.format, provisioning.Opt[provisioning.Bytes]{}))
	}
	assert.Equal(t, "{CPU:4 Name:null Memory: List:[1 2]}", fmt.Sprintf("%+v",
		limits{CPU: provisioning.Some(4), Name: provisioning.Null[string](), List: provisioning.Some([]int{1, 2})}))

	var log bytes.Buffer
	slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{ReplaceAttr: dropTime})).
		Info("x", "memory", provisioning.Some(8*provisioning.GiB), "disk", provisioning.Null[int](), "cpu", provisioning.Opt[int]{})
	assert.Equal(t, "level=INFO msg=x memory=8GiB disk=null cpu=\"\"\n", log.String())
}

func dropTime(groups []string, a slog.Attr) slog.Attr {
	if len(groups) == 0 && a.Key == slog.TimeKey {
		return slog.Attr{}
	}
	return a
}
