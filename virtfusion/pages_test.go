package virtfusion_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"sync"
	"testing"

	"github.com/jarcoal/httpmock"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/hvpanels/hvpanels/provisioning"
	"github.com/hvpanels/hvpanels/virtfusion"
)

// pager is a panel with servers 1 to n that answers pages as the panel does, links to an internal host included.
type pager struct {
	mu      sync.Mutex
	ids     []int
	queries []url.Values
	before  func(p *pager, n int) // runs before page n is answered
	total   func(int) int         // what is told as the total
}

func newPager(n int) *pager {
	p := &pager{}
	for id := 1; id <= n; id++ {
		p.ids = append(p.ids, id)
	}
	return p
}

func (p *pager) RoundTrip(r *http.Request) (*http.Response, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	q := r.URL.Query()
	p.queries = append(p.queries, q)
	per, _ := strconv.Atoi(q.Get("results"))
	n, _ := strconv.Atoi(q.Get("page"))
	if p.before != nil {
		p.before(p, n)
	}
	rows := []map[string]any{}
	for _, id := range p.ids[min(len(p.ids), (n-1)*per):min(len(p.ids), n*per)] {
		rows = append(rows, map[string]any{"id": id, "uuid": fmt.Sprint("u", id), "name": fmt.Sprint("s", id), "commissioned": 3, "owner": 1})
	}
	total := len(p.ids)
	if p.total != nil {
		total = p.total(n)
	}
	body, err := json.Marshal(map[string]any{"current_page": n, "data": rows, "last_page": max(1, (len(p.ids)+per-1)/per), "total": total, "per_page": per,
		"next_page_url": "https://10.0.0.5/api/v1/servers?page=" + strconv.Itoa(n+1)})
	if err != nil {
		return nil, err
	}
	return httpmock.NewBytesResponse(200, body), nil
}

func (p *pager) client(t testing.TB) *virtfusion.Client {
	t.Helper()
	c, err := virtfusion.New(panelURL, testToken, virtfusion.WithHTTPClient(&http.Client{Transport: p}))
	require.NoError(t, err)
	return c
}

func pageSize(n int) virtfusion.ListServersOptions {
	return virtfusion.ListServersOptions{ListOptions: virtfusion.ListOptions{Results: n}}
}

func TestAListWalksAllPagesOnceAndNoFurther(t *testing.T) {
	t.Parallel()
	for _, n := range []int{0, 1, 2, 3, 4, 7} {
		t.Run(fmt.Sprint(n, " servers, 3 a page"), func(t *testing.T) {
			t.Parallel()
			panel := newPager(n)
			rows, err := collect(panel.client(t).Servers.List(t.Context(), pageSize(3)))
			require.NoError(t, err)
			require.Len(t, rows, n)
			for i, row := range rows {
				assert.Equal(t, virtfusion.ServerID(i+1), row.ID)
			}
			assert.Len(t, panel.queries, max(1, (n+2)/3))
		})
	}
}

func TestAListAsksForTheLargestPage(t *testing.T) {
	t.Parallel()
	panel := newPager(250)
	rows, err := collect(panel.client(t).Servers.List(t.Context(), virtfusion.ListServersOptions{}))
	require.NoError(t, err)
	assert.Len(t, rows, 250)
	assert.Equal(t, []url.Values{{"page": {"1"}, "results": {"200"}}, {"page": {"2"}, "results": {"200"}}}, panel.queries)
}

func TestAListIsLazyCanBeLeftAndRangedAgain(t *testing.T) {
	t.Parallel()
	panel := newPager(9)
	o := pageSize(3)
	o.HypervisorIDs = []virtfusion.HypervisorID{7}
	list := panel.client(t).Servers.List(t.Context(), o)
	assert.Empty(t, panel.queries, "nothing is asked before somebody ranges")
	o.HypervisorIDs[0] = 8

	for row, err := range list {
		require.NoError(t, err)
		if row.ID == 3 {
			break
		}
	}
	assert.Len(t, panel.queries, 1, "the next page is not read ahead")
	again, err := collect(list)
	require.NoError(t, err)
	assert.Len(t, again, 9)
	for _, q := range panel.queries {
		assert.Equal(t, []string{"7"}, q["hypervisorId[]"], "the caller's options were copied, and each page keeps the filter")
	}
}

func TestALaterPageDoesNotChangeAnEarlierOne(t *testing.T) {
	t.Parallel()
	bodies := []answer{
		{status: 200, body: []byte(`{"current_page":1,"last_page":2,"total":2,"data":[{"id":1,"name":"first","suspended":true}]}`)},
		{status: 200, body: []byte(`{"current_page":2,"last_page":2,"total":2,"data":[{"id":2}]}`)},
	}
	c, _ := newClient(t, bodies...)
	rows, err := collect(c.Servers.List(t.Context(), virtfusion.ListServersOptions{}))
	require.NoError(t, err)
	assert.Equal(t, []virtfusion.ServerRow{{ID: 1, Name: "first", Suspended: true}, {ID: 2}}, rows)
}

func TestAListEndsWithTheFirstError(t *testing.T) {
	t.Parallel()
	first := answer{status: 200, body: []byte(`{"current_page":1,"last_page":3,"total":3,"data":[{"id":1}]}`)}
	for name, c := range map[string]struct {
		second answer
		kind   provisioning.Kind
	}{
		"a refusal":                     {answer{status: 403, body: []byte(`{"msg":"no"}`)}, provisioning.Forbidden},
		"the first page again":          {first, provisioning.Mismatch},
		"a page without rows":           {answer{status: 200, body: []byte(`{"current_page":2,"last_page":3,"total":3}`)}, provisioning.Unexpected},
		"rows without pages":            {answer{status: 200, body: []byte(`{"data":[{"id":2}]}`)}, provisioning.Unexpected},
		"a list where a page should be": {answer{status: 200, body: []byte(`[{"id":2}]`)}, provisioning.Unexpected},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			client, panel := newClient(t, first, c.second)
			pairs, errs := 0, 0
			for row, err := range client.Servers.List(t.Context(), virtfusion.ListServersOptions{}) {
				pairs++
				if err != nil {
					errs++
					require.ErrorIs(t, err, c.kind)
					assert.Zero(t, row)
				}
			}
			assert.Equal(t, 2, pairs)
			assert.Equal(t, 1, errs)
			assert.Len(t, panel.requests(), 2)
		})
	}
}

func TestAnEmptyPageEndsTheListWhateverItPromises(t *testing.T) {
	t.Parallel()
	c, panel := newClient(t, answer{status: 200, body: []byte(`{"current_page":1,"last_page":1000000,"total":5,"data":[]}`)})
	rows, err := collect(c.Servers.List(t.Context(), virtfusion.ListServersOptions{}))
	require.NoError(t, err)
	assert.Empty(t, rows)
	assert.Len(t, panel.requests(), 1)
}

func TestACompleteListIsProvenOrRefused(t *testing.T) {
	t.Parallel()
	t.Run("a quiet panel", func(t *testing.T) {
		t.Parallel()
		panel := newPager(8)
		rows, err := panel.client(t).Servers.ListComplete(t.Context(), pageSize(3))
		require.NoError(t, err)
		assert.Len(t, rows, 8)
		assert.Len(t, panel.queries, 3)
	})
	t.Run("a server deleted between two pages hides another, so the walk is repeated", func(t *testing.T) {
		t.Parallel()
		panel := newPager(8)
		panel.before = func(p *pager, n int) {
			if n == 2 && len(p.ids) == 8 {
				p.ids = p.ids[1:]
			}
		}
		plain, err := collect(newPager(8).client(t).Servers.List(t.Context(), pageSize(3)))
		require.NoError(t, err)
		require.Len(t, plain, 8)
		rows, err := panel.client(t).Servers.ListComplete(t.Context(), pageSize(3))
		require.NoError(t, err)
		require.Len(t, rows, 7)
		assert.Equal(t, virtfusion.ServerID(4), rows[2].ID, "the server that slipped to a page already read is there")
	})
	t.Run("a server deleted and one made between two pages keep the total, and the ids still tell", func(t *testing.T) {
		t.Parallel()
		panel := newPager(8)
		done := false
		panel.before = func(p *pager, n int) {
			if n == 2 && !done {
				done = true
				p.ids = append([]int{100}, p.ids[:7]...) // everything moves one row down: row 3 comes twice
			}
		}
		rows, err := panel.client(t).Servers.ListComplete(t.Context(), pageSize(3))
		require.NoError(t, err)
		assert.Len(t, rows, 8)
		assert.Len(t, panel.queries, 6, "two walks")
	})
	t.Run("a panel that never holds still", func(t *testing.T) {
		t.Parallel()
		panel := newPager(8)
		panel.total = func(n int) int { return 8 + n }
		_, err := panel.client(t).Servers.ListComplete(t.Context(), pageSize(3))
		require.ErrorIs(t, err, provisioning.Unavailable)
		assert.Len(t, panel.queries, 9, "three walks")
	})
	t.Run("a total that is not told is no proof", func(t *testing.T) {
		t.Parallel()
		for _, data := range []string{`[]`, `[{"id":1}]`} {
			c, _ := newClient(t, answer{status: 200, body: []byte(`{"current_page":1,"last_page":1,"data":` + data + `}`)})
			_, err := c.Servers.ListComplete(t.Context(), virtfusion.ListServersOptions{})
			require.ErrorIs(t, err, provisioning.Unavailable)
		}
	})
	t.Run("an error ends it", func(t *testing.T) {
		t.Parallel()
		c, _ := newClient(t, answer{status: 403})
		_, err := c.Servers.ListComplete(t.Context(), virtfusion.ListServersOptions{})
		require.ErrorIs(t, err, provisioning.Forbidden)
	})
}
