package solusvm2_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/hvpanels/hvpanels/provisioning"
	"github.com/hvpanels/hvpanels/solusvm2"
)

// pager is a panel with servers 1 to n on pages of perPage rows, whatever per_page asks for. It answers pages as the panel does, links to an internal host included.
type pager struct {
	mu      sync.Mutex
	perPage int
	ids     []int
	hosts   []string
	queries []url.Values
	before  func(p *pager, n int) // runs before page n is answered
	alter   func(n int, meta map[string]any)
}

func newPager(n int) *pager {
	p := &pager{perPage: 50}
	for id := 1; id <= n; id++ {
		p.ids = append(p.ids, id)
	}
	return p
}

func (p *pager) RoundTrip(r *http.Request) (*http.Response, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	q := r.URL.Query()
	p.queries, p.hosts = append(p.queries, q), append(p.hosts, r.URL.Host)
	n := 1
	if q.Get("page") != "" {
		n, _ = strconv.Atoi(q.Get("page"))
	}
	if p.before != nil {
		p.before(p, n)
	}
	rows := []map[string]any{}
	for _, id := range p.ids[min(len(p.ids), (n-1)*p.perPage):min(len(p.ids), n*p.perPage)] {
		row := map[string]any{"id": id, "uuid": fmt.Sprint("u", id), "name": fmt.Sprint("s", id)}
		if id%2 == 1 {
			row["description"] = fmt.Sprint("only of ", id)
		}
		rows = append(rows, row)
	}
	last := max(1, (len(p.ids)+p.perPage-1)/p.perPage)
	body := map[string]any{"data": rows, "links": map[string]any{"next": "https://10.0.0.5/api/v1/servers?page=" + strconv.Itoa(n+1)}}
	meta := map[string]any{"current_page": n, "last_page": last, "total": len(p.ids), "per_page": strconv.Itoa(p.perPage)}
	if p.alter != nil {
		p.alter(n, meta)
	}
	if len(meta) > 0 {
		body["meta"] = meta
	}
	text, err := json.Marshal(body)
	if err != nil {
		return nil, err
	}
	return json200(string(text)).response(r)
}

func TestAListWalksAllPagesOnceAndNoFurther(t *testing.T) {
	t.Parallel()
	for n, pages := range map[int]int{0: 1, 1: 1, 50: 1, 51: 2, 150: 3, 173: 4} {
		t.Run(fmt.Sprint(n, " servers"), func(t *testing.T) {
			t.Parallel()
			p := newPager(n)
			rows, err := all(clientOf(t, p).Servers.List(t.Context(), solusvm2.ServerFilter{UserID: 7}))
			require.NoError(t, err)
			require.Len(t, rows, n)
			for i, row := range rows {
				assert.Equal(t, solusvm2.ServerID(i+1), row.ID)
			}
			require.Len(t, p.queries, pages)
			for i, q := range p.queries {
				assert.Equal(t, "7", q.Get("filter[user_id]"), "each page keeps the filter")
				if i == 0 {
					assert.False(t, q.Has("page"))
				} else {
					assert.Equal(t, strconv.Itoa(i+1), q.Get("page"))
				}
			}
		})
	}
}

func TestAListIsLazyCanBeLeftAndRangedAgain(t *testing.T) {
	t.Parallel()
	p := newPager(120)
	list := clientOf(t, p).Servers.List(t.Context(), solusvm2.ServerFilter{})
	assert.Empty(t, p.queries)
	for row, err := range list {
		require.NoError(t, err)
		if row.ID == 50 {
			break
		}
	}
	assert.Len(t, p.queries, 1, "the second page was not asked for")
	rows, err := all(list)
	require.NoError(t, err)
	assert.Len(t, rows, 120)
	assert.Len(t, p.queries, 4)
}

func TestAListEndsWithTheFirstError(t *testing.T) {
	t.Parallel()
	s := &script{answers: []answer{json200(`{"data":[{"id":1}],"meta":{"current_page":1,"last_page":3,"total":3}}`), {status: 403,
		body: []byte(`{"message":"This action is unauthorized."}`)}}}
	rows, err := all(clientOf(t, s).Servers.List(t.Context(), solusvm2.ServerFilter{}))
	require.ErrorIs(t, err, provisioning.Forbidden)
	assert.Len(t, rows, 1)
	assert.Len(t, s.requests(), 2)
}

func TestAListWithoutMetaIsOnePage(t *testing.T) {
	t.Parallel()
	for name, body := range map[string]string{
		"no meta":           `{"data":[{"id":1},{"id":2}]}`,
		"meta without last": `{"data":[{"id":1},{"id":2}],"meta":{"total":2}}`,
		"null":              `{"data":[{"id":1},{"id":2}],"meta":null}`,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c, panel := newClient(t, json200(body))
			rows, err := all(c.Servers.List(t.Context(), solusvm2.ServerFilter{}))
			require.NoError(t, err)
			assert.Len(t, rows, 2)
			assert.Len(t, panel.requests(), 1)
		})
	}
}

func TestAnEmptyPageEndsTheListWhateverItPromises(t *testing.T) {
	t.Parallel()
	p := newPager(0)
	p.alter = func(_ int, meta map[string]any) { meta["last_page"] = 1_000_000 }
	rows, err := all(clientOf(t, p).Servers.List(t.Context(), solusvm2.ServerFilter{}))
	require.NoError(t, err)
	assert.Empty(t, rows)
	assert.Len(t, p.queries, 1)
}

func TestAPanelThatIgnoresThePageNumberIsNoticed(t *testing.T) {
	t.Parallel()
	p := newPager(120)
	p.alter = func(_ int, meta map[string]any) { meta["current_page"] = 1 }
	rows, err := all(clientOf(t, p).Servers.List(t.Context(), solusvm2.ServerFilter{}))
	require.ErrorIs(t, err, provisioning.Mismatch)
	assert.Len(t, rows, 50)
}

func TestAShortListThatTurnsOutToBePagedIsReadToItsEnd(t *testing.T) {
	t.Parallel()
	p := newPager(70)
	disks, err := clientOf(t, p).Servers.Disks(t.Context(), 42)
	require.NoError(t, err)
	assert.Len(t, disks, 70)
}

func TestAListThatIsMissingIsNotAnEmptyList(t *testing.T) {
	t.Parallel()
	for name, a := range map[string]answer{
		"nothing": json200(`{}`), "null": json200(`{"data":null}`), "a page": page(200), "an empty body": json200(``),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c, _ := newClient(t, a)
			_, err := all(c.Servers.List(t.Context(), solusvm2.ServerFilter{}))
			require.Error(t, err)
			_, err = c.Servers.Disks(t.Context(), 42)
			require.Error(t, err)
			_, err = c.Users.FindByEmail(t.Context(), "a@example.com")
			require.Error(t, err)
			assert.NotErrorIs(t, err, provisioning.NotFound)
		})
	}
}

func TestACompleteListIsProvenOrRefused(t *testing.T) {
	t.Parallel()
	once := func(change func(*pager)) func(*pager, int) {
		done := false
		return func(p *pager, n int) {
			if n == 2 && !done {
				done = true
				change(p)
			}
		}
	}
	for name, c := range map[string]struct {
		before func(*pager, int)
		alter  func(int, map[string]any)
		rows   int
		pages  int
		kind   provisioning.Kind
	}{
		"a list that stays as it is":                     {rows: 120, pages: 3},
		"a server deleted while walking":                 {before: once(func(p *pager) { p.ids = p.ids[1:] }), rows: 119, pages: 6},
		"a server added while walking":                   {before: once(func(p *pager) { p.ids = append([]int{500}, p.ids...) }), rows: 121, pages: 6},
		"a list that never stays":                        {before: func(p *pager, n int) { p.ids = p.ids[1:] }, pages: 9, kind: provisioning.Unavailable},
		"a total that does not fit":                      {alter: func(_ int, m map[string]any) { m["total"] = 121 }, pages: 9, kind: provisioning.Unavailable},
		"totals that differ":                             {alter: func(n int, m map[string]any) { m["total"] = 120 + n - 3 }, pages: 9, kind: provisioning.Unavailable},
		"a list without totals, which could hide a page": {alter: func(_ int, m map[string]any) { clear(m) }, pages: 1, kind: provisioning.Unexpected},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := newPager(120)
			p.before, p.alter = c.before, c.alter
			rows, err := clientOf(t, p).Servers.ListComplete(t.Context(), solusvm2.ServerFilter{})
			assert.Len(t, p.queries, c.pages)
			if c.kind != "" {
				require.ErrorIs(t, err, c.kind)
				assert.Nil(t, rows)
				return
			}
			require.NoError(t, err)
			assert.Len(t, rows, c.rows)
		})
	}
}

func TestAUserIsFoundByExactlyOneAddressOrNotAtAll(t *testing.T) {
	t.Parallel()
	list := func(emails ...string) answer {
		users := []map[string]any{}
		for i, e := range emails {
			users = append(users, map[string]any{"id": i + 1, "email": e})
		}
		body, err := json.Marshal(map[string]any{"data": users, "meta": map[string]any{"current_page": 1, "last_page": 1, "total": len(users)}})
		require.NoError(t, err)
		return json200(string(body))
	}
	for name, c := range map[string]struct {
		answer answer
		id     solusvm2.UserID
		kind   provisioning.Kind
	}{
		"a part of another address is no hit": {list("not-a@example.com", "a@example.com.au"), 0, provisioning.NotFound},
		"nobody":                              {list(), 0, provisioning.NotFound},
		"the exact one among others":          {list("aa@example.com", "A@Example.com"), 2, ""},
		"two with the same address":           {list("a@example.com", "A@example.com"), 0, provisioning.Conflict},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			client, _ := newClient(t, c.answer)
			u, err := client.Users.FindByEmail(t.Context(), "a@example.com")
			if c.kind != "" {
				require.ErrorIs(t, err, c.kind)
				return
			}
			require.NoError(t, err)
			assert.Equal(t, c.id, u.ID)
		})
	}
}
