package rest

import (
	"bytes"
	"encoding/json"
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// readsAs decodes each input into a T that held something else before, and compares.
func readsAs[T any](t *testing.T, before T, inputs map[string]T) {
	t.Helper()
	for in, want := range inputs {
		got := struct {
			V T `json:"v"`
		}{before}
		require.NoError(t, json.Unmarshal([]byte(`{"v": `+in+` }`), &got), in)
		assert.Equal(t, want, got.V, in)
	}
}

// refuses checks that inputs are errors that name the field and not the value.
func refuses[T any](t *testing.T, inputs ...string) {
	t.Helper()
	for _, in := range inputs {
		var got struct {
			V T `json:"v"`
		}
		err := json.Unmarshal([]byte(`{"v":`+in+`}`), &got)
		require.Error(t, err, in)
		text := decodeError(err).Error()
		assert.Contains(t, text, "Go struct field .v", in)
		for _, value := range []string{"planted", "99999", "12.5", "0x"} {
			assert.NotContains(t, text, value, in)
		}
	}
}

func TestInt(t *testing.T) {
	t.Parallel()
	readsAs(t, Int(99), map[string]Int{
		`12`: 12, `"12"`: 12, `12.0`: 12, `"12.00"`: 12, `" 12 "`: 12, `"+12"`: 12, `-3`: -3, `"-3.0"`: -3, `1.2e1`: 12, `1E3`: 1000, `"\u0031\u0032"`: 12, `"0.00"`: 0,
		`""`: 0, `"  "`: 0, `null`: 0, `false`: 0,
		`9223372036854775807`: math.MaxInt64, `"-9223372036854775808"`: math.MinInt64, `9223372036854775807.0`: math.MaxInt64, `9007199254740993.0`: 9007199254740993,
	})
	refuses[Int](t, `12.5`, `"12.5"`, `true`, `"planted"`, `[]`, `{}`, `[12]`, `999999999999999999999`, `"999999999999999999999"`, `9223372036854775808`, `9223372036854775808.0`, `1e30`,
		`9.2e18`, `"0x10"`, `"Inf"`, `"NaN"`, `"1_000"`, `"1,000"`, `"-"`, `"12 34"`)
}

func TestFloat(t *testing.T) {
	t.Parallel()
	readsAs(t, Float(99), map[string]Float{`1.5`: 1.5, `"1.5"`: 1.5, `2`: 2, `"0.00"`: 0, `""`: 0, `null`: 0, `false`: 0, `-1e3`: -1000, `"  7 "`: 7})
	refuses[Float](t, `true`, `"planted"`, `[]`, `{}`, `1e999`, `"1e999"`, `"Inf"`, `"NaN"`, `"0x1p4"`, `"infinity"`)
}

func TestBool(t *testing.T) {
	t.Parallel()
	readsAs(t, Bool(false), map[string]Bool{`true`: true, `1`: true, `"1"`: true, `"true"`: true})
	readsAs(t, Bool(true), map[string]Bool{`false`: false, `0`: false, `"0"`: false, `"false"`: false, `""`: false, `null`: false})
	refuses[Bool](t, `2`, `-1`, `"planted"`, `[]`, `{}`, `"yes"`, `1.5`)
}

func TestString(t *testing.T) {
	t.Parallel()
	readsAs(t, String("before"), map[string]String{`"a"`: "a", `""`: "", `7`: "7", `1.50`: "1.50", `-1e5`: "-1e5", `null`: "", `false`: "", `"\u00e4\n"`: "ä\n", `"false"`: "false"})
	refuses[String](t, `true`, `[]`, `{}`, `["planted"]`)
}

func TestTime(t *testing.T) {
	t.Parallel()
	at := time.Date(2025, 10, 27, 13, 30, 0, 0, time.UTC)
	for in, want := range map[string]time.Time{
		`"2025-10-27T13:30:00Z"`:           at,
		`"2025-10-27T16:30:00+03:00"`:      at,
		`"2025-10-27T13:30:00.500Z"`:       at.Add(500 * time.Millisecond),
		`"2025-10-27T13:30:00.000000Z"`:    at,
		`"2025-10-27T13:30:00.5+00:00"`:    at.Add(500 * time.Millisecond),
		`"2025-10-27T13:30:00+0000"`:       at,
		`"2025-10-27 13:30:00"`:            at,
		`"2025-10-27 13:30:00.25"`:         at.Add(250 * time.Millisecond),
		`"2025-10-27T13:30:00"`:            at,
		`" 2025-10-27 13:30:00 "`:          at,
		`"2025-10-27 13:30:00Z"`:           at,
		`"\u0032025-10-27 13:30:00+00:00"`: at,
		`null`:                             {},
		`""`:                               {},
		`false`:                            {},
		`"0000-00-00 00:00:00"`:            {},
	} {
		got := Time{time.Now()}
		require.NoError(t, json.Unmarshal([]byte(in), &got), in)
		assert.True(t, want.Equal(got.Time), "%s: %v", in, got)
	}
	refuses[Time](t, `1730035800`, `"planted"`, `"1730035800"`, `true`, `[]`, `{}`, `"2025-13-01 00:00:00"`, `"99999"`)
}

func TestList(t *testing.T) {
	t.Parallel()
	readsAs(t, List[Int]{99, 99, 99}, map[string]List[Int]{
		`[]`: {}, `[ ]`: {}, `{}`: {}, `null`: nil, `false`: nil, `""`: nil, `[1,"2"]`: {1, 2},
		`{"10":3,"2":2,"1":1}`: {1, 2, 3}, `{"0":1}`: {1},
	})
	refuses[List[Int]](t, `"planted"`, `7`, `true`, `[["planted"]]`, `{"planted":1}`, `{"1":"planted"}`)
}

func TestAListNeverWritesIntoTheSliceItHeldBefore(t *testing.T) {
	t.Parallel()
	page := List[server]{{ID: 1, Name: "first"}}
	kept := page
	require.NoError(t, json.Unmarshal([]byte(`[{"id":2,"name":null}]`), &page))
	assert.Equal(t, List[server]{{ID: 1, Name: "first"}}, kept)
	assert.Equal(t, List[server]{{ID: 2}}, page)
}

func TestMap(t *testing.T) {
	t.Parallel()
	readsAs(t, Map[Int]{"old": 9}, map[string]Map[Int]{
		`{}`: {}, `[]`: {}, `[ ]`: {}, `null`: nil, `false`: nil, `""`: nil, `{"a":1,"b":"2"}`: {"a": 1, "b": 2}, `[5,"6"]`: {"0": 5, "1": 6},
	})
	refuses[Map[Int]](t, `"planted"`, `7`, `true`, `{"a":"planted"}`, `["planted"]`)
}

func TestMaybe(t *testing.T) {
	t.Parallel()
	readsAs(t, Present(server{ID: 9}), map[string]Maybe[server]{
		`[]`: {}, `[ ]`: {}, `false`: {}, `null`: {}, `""`: {}, `{}`: Present(server{}), `{"id":"7"}`: Present(server{ID: 7}),
	})
	refuses[Maybe[server]](t, `"planted"`, `7`, `true`, `[1]`, `{"id":"planted"}`)
	got, ok := Present(server{ID: 7}).Get()
	assert.True(t, ok)
	assert.Equal(t, Int(7), got.ID)
}

func TestLenientTypesWriteOrdinaryJSON(t *testing.T) {
	t.Parallel()
	type all struct {
		Int   Int           `json:"int"`
		Float Float         `json:"float"`
		Bool  Bool          `json:"bool"`
		Text  String        `json:"text"`
		Time  Time          `json:"time"`
		List  List[Int]     `json:"list"`
		Map   Map[Int]      `json:"map"`
		Maybe Maybe[server] `json:"maybe"`
		Omit  Maybe[server] `json:"omit,omitzero"`
	}
	b, err := json.Marshal(all{})
	require.NoError(t, err)
	assert.JSONEq(t, `{"int":0,"float":0,"bool":false,"text":"","time":null,"list":[],"map":{},"maybe":null}`, string(b))
	b, err = json.Marshal(all{
		Int: 12, Float: 1.5, Bool: true, Text: "a", Time: Time{time.Date(2025, 1, 2, 3, 4, 5, 600000000, time.UTC)}, List: List[Int]{1}, Map: Map[Int]{"a": 1},
		Maybe: Present(server{ID: 7}), Omit: Present(server{}),
	})
	require.NoError(t, err)
	assert.JSONEq(t, `{"int":12,"float":1.5,"bool":true,"text":"a","time":"2025-01-02T03:04:05.6Z","list":[1],"map":{"a":1},"maybe":{"id":7,"name":""},"omit":{"id":0,"name":""}}`, string(b))
}

func TestWrongKindNamesWhatWasFound(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ in, want string }{
		{`{"a":1}`, "object"}, {`[1]`, "array"}, {`"x"`, "string"}, {`true`, "bool"}, {`null`, "null"}, {` 7`, "number"}, {``, "nothing"},
	} {
		assert.EqualError(t, WrongKind[Int]([]byte(c.in)), "json: cannot unmarshal "+c.want+" into Go value of type rest.Int")
	}
}

// fuzzLenient checks that a type takes any bytes without a panic, and that what it has read it also writes, and reads again as the same.
func fuzzLenient[T any](f *testing.F) {
	for _, s := range []string{`12`, `"12.0"`, `1e9`, `""`, `"`, `null`, `false`, `[]`, `{}`, `{"1":2}`, `[1]`, `"2025-01-02 03:04:05"`, `"\u0031"`, `-`, ` `, ``, `"\ud800"`} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		var direct T
		if u, ok := any(&direct).(json.Unmarshaler); ok {
			_ = u.UnmarshalJSON(b)
		}
		var read, again T
		if json.Unmarshal(b, &read) != nil {
			return
		}
		written, err := json.Marshal(read)
		require.NoError(t, err)
		require.NoError(t, json.Unmarshal(written, &again), "%s", written)
		rewritten, err := json.Marshal(again)
		require.NoError(t, err)
		require.True(t, bytes.Equal(written, rewritten), "%s %s", written, rewritten)
	})
}

func FuzzInt(f *testing.F)    { fuzzLenient[Int](f) }
func FuzzFloat(f *testing.F)  { fuzzLenient[Float](f) }
func FuzzBool(f *testing.F)   { fuzzLenient[Bool](f) }
func FuzzString(f *testing.F) { fuzzLenient[String](f) }
func FuzzTime(f *testing.F)   { fuzzLenient[Time](f) }
func FuzzList(f *testing.F)   { fuzzLenient[List[Int]](f) }
func FuzzMap(f *testing.F)    { fuzzLenient[Map[Int]](f) }
func FuzzMaybe(f *testing.F)  { fuzzLenient[Maybe[server]](f) }
