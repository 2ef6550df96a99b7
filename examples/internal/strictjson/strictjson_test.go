package strictjson_test

import (
	"errors"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/hvpanels/hvpanels/examples/internal/strictjson"
	"github.com/hvpanels/hvpanels/provisioning"
)

type input struct {
	Key    string             `json:"key"`
	Memory provisioning.Bytes `json:"memory"`
	Owner  struct {
		Ref *string `json:"ref"`
	} `json:"owner"`
	Keys []string `json:"keys"`
	IPv6 bool     `json:"ipv6"`
	IPv4 int      `json:"ipv4"`
}

func TestObjectNamesTheFieldThatIsWrong(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ text, field, want string }{
		"unknown":                  {`{"ram": 8}`, "ram", "there is no such field"},
		"unknown inside an object": {`{"owner": {"phone": "1"}}`, "owner.phone", "there is no such field"},
		"twice":                    {`{"key": "a", "key": "b"}`, "key", "is there twice"},
		"twice in another case":    {`{"key": "a", "Key": "b"}`, "Key", "is there twice"},
		"text for a number":        {`{"ipv4": "1"}`, "ipv4", "must be a whole number, and not the JSON string"},
		"fraction":                 {`{"ipv4": 1.5}`, "ipv4", "must be a whole number, and not the JSON number 1.5"},
		"number for a text":        {`{"owner": {"ref": 1}}`, "owner.ref", "must be a string, and not the JSON number"},
		"text for a switch":        {`{"ipv6": "yes"}`, "ipv6", "must be true or false, and not the JSON string"},
		"text for a list":          {`{"keys": "a"}`, "keys", "must be an array, and not the JSON string"},
		"text for an object":       {`{"owner": "a"}`, "owner", "must be an object, and not the JSON string"},
		"size without a unit":      {`{"memory": 8}`, "memory", `must be a size with its unit such as "2GiB", and not the JSON number`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			err := strictjson.Object([]byte(c.text), new(input))
			require.ErrorIs(t, err, provisioning.Invalid)
			e, ok := errors.AsType[*provisioning.Error](err)
			require.True(t, ok)
			assert.Equal(t, map[string][]string{c.field: {c.want}}, e.Fields)
		})
	}
}

func TestObjectSaysWhatIsWrongWithTheText(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		``:                "the JSON ends too early",
		`{"key": "a"`:     "the JSON ends too early",
		`{"key":`:         "the JSON ends too early",
		`key: a`:          "the JSON is wrong: invalid character 'k' looking for beginning of value",
		`[]`:              "must be a JSON object",
		`null`:            "must be a JSON object",
		`{"": 1}`:         "a field has no name",
		`{"key": "a"} {}`: "something follows after the end of the JSON",
	} {
		err := strictjson.Object([]byte(text), new(input))
		assert.EqualError(t, err, want, text)
		assert.NotErrorIs(t, err, provisioning.Invalid, text)
	}
}

func TestObjectKeepsWhatItHasReadBeforeTheMistake(t *testing.T) {
	t.Parallel()
	var v input
	require.Error(t, strictjson.Object([]byte(`{"KEY": "a", "memory": "2GiB", "ipv4": "1", "ipv6": true}`), &v))
	assert.Equal(t, input{Key: "a", Memory: 2 * provisioning.GiB}, v)
}

func TestValueTakesOneValueAndNothingAfterIt(t *testing.T) {
	t.Parallel()
	var v []input
	require.NoError(t, strictjson.Value([]byte(` [{"key": "a"}, {"ipv4": 1}] `), &v))
	assert.Len(t, v, 2)
	assert.EqualError(t, strictjson.Value([]byte(`[] []`), &v), "something follows after the end of the JSON")
	assert.EqualError(t, strictjson.Value([]byte(`[`), &v), "the JSON ends too early")
	assert.ErrorContains(t, strictjson.Value([]byte(`[{"ram": 8}]`), &v), `unknown field "ram"`)
}
