package solusvm2test

import (
	"fmt"
	"net/http"
	"strconv"
)

// internalURL is what the links of pages show: an address that only the panel's own network reaches.
const internalURL = "http://10.20.0.6"

const (
	pageSize    = 50
	maxPageSize = 100
)

// page answers one page of rows. A page size that is asked for is taken up to 100 (guess: one client sends 100), and then comes back as text; other values,
// and page numbers that are none, mean the default, as the framework has it.
func page[T any](c *call, rows []T, row func(T) obj) answer {
	q := c.r.URL.Query()
	size := pageSize
	var shown any = pageSize
	if n, err := strconv.Atoi(q.Get("per_page")); err == nil && n >= 1 && n <= maxPageSize {
		size, shown = n, q.Get("per_page")
	}
	number, err := strconv.Atoi(q.Get("page"))
	if err != nil || number < 1 {
		number = 1
	}
	last := max((len(rows)+size-1)/size, 1)
	from := len(rows)
	if number <= last {
		from = (number - 1) * size
	}
	to := min(from+size, len(rows))
	list := []obj{}
	for _, r := range rows[from:to] {
		list = append(list, row(r))
	}
	path := internalURL + c.r.URL.Path
	at := func(n int) any {
		if n < 1 || n > last {
			return nil
		}
		return fmt.Sprintf("%s?page=%d", path, n) // page size and filters are forgotten
	}
	meta := obj{"current_page": number, "from": nil, "last_page": last, "path": path, "per_page": shown, "to": nil, "total": len(rows)}
	if to > from {
		meta["from"], meta["to"] = from+1, to
	}
	links := obj{"first": at(1), "last": at(last), "prev": at(number - 1), "next": at(number + 1)}
	return answer{status: http.StatusOK, body: obj{"data": list, "links": links, "meta": meta}}
}

// unpaged answers a list that has no pages.
func unpaged[T any](rows []T, row func(T) obj) answer {
	list := []obj{}
	for _, r := range rows {
		list = append(list, row(r))
	}
	return ok(list)
}
