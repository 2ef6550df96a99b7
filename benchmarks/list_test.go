package benchmarks

import (
	"fmt"
	"io"
	"net/http"
	"runtime"
	"strconv"
	"strings"
	"testing"

	"github.com/hvpanels/hvpanels/virtfusion"
)

// fleet answers the list of a panel with total servers, 200 a page, without keeping any.
type fleet struct{ total int }

func (f fleet) RoundTrip(r *http.Request) (*http.Response, error) {
	page, err := strconv.Atoi(r.URL.Query().Get("page"))
	if err != nil {
		return nil, err
	}
	const size = 200
	first, last := (page-1)*size+1, min(page*size, f.total)
	var body strings.Builder
	fmt.Fprintf(&body, `{"current_page":%d,"last_page":%d,"per_page":%d,"total":%d,"data":[`, page, (f.total+size-1)/size, size, f.total)
	for id := first; id <= last; id++ {
		if id > first {
			body.WriteByte(',')
		}
		fmt.Fprintf(&body, `{"id":%d,"uuid":"1fb4b391-b360-40e7-8fe1-%012d","name":"server %d","commissioned":3,"owner":1,"hypervisorId":7,"suspended":false,"protected":false,`+
			`"updated":"2024-04-02T10:15:10+00:00","created":"2024-03-30T14:41:27+00:00"}`, id, id, id)
	}
	body.WriteString("]}")
	return &http.Response{StatusCode: http.StatusOK, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, Header: http.Header{"Content-Type": {"application/json"}},
		Body: io.NopCloser(strings.NewReader(body.String())), ContentLength: int64(body.Len()), Request: r}, nil
}

func BenchmarkListServers(b *testing.B) {
	for _, total := range []int{1_000, 10_000, 100_000} {
		b.Run(strconv.Itoa(total), func(b *testing.B) {
			client, err := virtfusion.New("http://127.0.0.1", token, virtfusion.WithHTTPClient(&http.Client{Transport: fleet{total}}))
			if err != nil {
				b.Fatal(err)
			}
			list := client.Servers.List(b.Context(), virtfusion.ListServersOptions{})
			walk := func(each func(row int)) {
				rows := 0
				for row, err := range list {
					if err != nil {
						b.Fatal(err)
					}
					if rows++; int(row.ID) != rows {
						b.Fatalf("row %d is server %d", rows, row.ID)
					}
					each(rows)
				}
				if rows != total {
					b.Fatalf("%d rows", rows)
				}
			}
			for b.Loop() {
				walk(func(int) {})
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(total), "ns/server")
			base, peak := liveHeap(), uint64(0)
			walk(func(row int) {
				if row%(total/10) == 0 {
					peak = max(peak, liveHeap())
				}
			})
			b.ReportMetric(float64(peak-min(base, peak))/1e6, "peak-live-MB")
		})
	}
}

func liveHeap() uint64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}
