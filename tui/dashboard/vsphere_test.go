package dashboard

import (
	"fmt"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/charmbracelet/x/ansi"

	"github.com/vksync/vksync/reconcile/journal"
	"github.com/vksync/vksync/tui/paint"
)

// A siteMoment is a state of a site, at the time of the last event.
type siteMoment struct {
	name   string
	events []journal.Event
}

func siteMeter(kind journal.MeterKind, group, name, unit string, capacity, used int64) journal.Meter {
	return journal.Meter{Kind: kind, Group: group, Name: name, Unit: unit, Capacity: capacity, Used: used}
}

// siteAt is a small site of which so many parts of ten are in use.
func siteAt(tenths, vips int64) []journal.Meter {
	var site journal.MeterList
	for z, zone := range []string{"zone-a", "zone-b"} {
		for h := range int64(2) {
			host := fmt.Sprintf("esx-%c%d.lab.example", 'a'+rune(z), h+1)
			site.Add(siteMeter(journal.HostMemory, zone, host, journal.MiB, 196608, 196608*tenths*(2+h)/30))
			site.Add(siteMeter(journal.HostCPU, zone, host, journal.MHz, 41600, 41600*tenths*(2+h)/12))
		}
		site.Add(siteMeter(journal.DatastoreRoom, "", "vsan-"+zone[5:], journal.MiB, 4<<20, 4<<20*(tenths+1)*(int64(z)+2)/40))
	}
	site.Add(siteMeter(journal.Quota, "payments", journal.QuotaMemory, journal.MiB, 262144, 262144*tenths/9))
	site.Add(siteMeter(journal.Quota, "payments", journal.QuotaCPU, journal.MHz, 0, 8000*tenths))
	site.Add(siteMeter(journal.Quota, "payments", "storage vks-gold", journal.MiB, 512000, 51200*tenths))
	site.Add(siteMeter(journal.Addresses, "", journal.LoadBalancer, journal.AddressUnit, 4, vips))
	site.Add(siteMeter(journal.Addresses, "payments", journal.PrivateAddresses, journal.AddressUnit, 57344, 4*tenths))
	site.Add(siteMeter(journal.Addresses, "payments", journal.PrivateSubnets, journal.SubnetUnit, 2048, tenths/2))
	return site.Sorted()
}

// siteRun is the journal of a run on that site: the steps are what is in use every
// thirty seconds.
func siteRun(forecast []journal.Meter, steps ...[]journal.Meter) []journal.Event {
	begin := &journal.Begin{Version: journal.Version, Simulated: true, Start: epoch, Site: steps[0]}
	if forecast != nil {
		begin.Forecast = &journal.Forecast{Peak: forecast}
	}
	events := []journal.Event{{Begin: begin}}
	for i, site := range steps[1:] {
		events = append(events, journal.Event{
			Seq: len(events), T: int64(i+1) * 30_000, Usage: &journal.Usage{Meters: journal.ChangedMeters(steps[i], site)},
		})
	}
	return events
}

func siteMoments(t *testing.T) []siteMoment {
	peak := siteAt(8, 3)
	rollout := siteRun(peak, siteAt(1, 1), siteAt(2, 1), siteAt(4, 2), siteAt(6, 2), siteAt(5, 2))
	ending := func(events []journal.Event, o journal.Outcome) []journal.Event {
		return append(events, journal.Event{Seq: len(events), T: 200_000, End: &journal.End{Outcome: o}})
	}
	proposed := siteRun(siteAt(9, 4), siteAt(3, 1))
	proposed[0].Begin.Proposed = true
	live := siteRun(nil, nil)
	live[0].Begin.Simulated = false
	return []siteMoment{
		{"empty", nil},
		{"older", example(t, "fleet", time.Minute)},
		{"unread", live},
		{"planning", proposed},
		{"rollout", rollout},
		{"waiting", siteRun(peak, siteAt(3, 1), siteAt(7, 3), siteAt(7, 3))},
		{"failed", ending(siteRun(peak, siteAt(3, 2), siteAt(5, 4), siteAt(5, 4)), journal.NotReached)},
		{"done", ending(siteRun(nil, siteAt(1, 1), siteAt(5, 2), siteAt(4, 2)), journal.Reached)},
		{"large", largeSite(1000)},
	}
}

// largeSite has n hosts in ten zones, and a few of everything else for each.
func largeSite(n int) []journal.Event {
	at := func(step int64) []journal.Meter {
		var site journal.MeterList
		for i := range int64(n) {
			zone, host := fmt.Sprintf("zone-%02d", i%10), fmt.Sprintf("esx-%04d.site.example", i)
			site.Add(siteMeter(journal.HostMemory, zone, host, journal.MiB, 1<<20, (i*7919+step*40000)%(900<<10)))
			site.Add(siteMeter(journal.HostCPU, zone, host, journal.MHz, 256000, (i*7919+step*40000)%700000))
			if i%25 == 0 {
				site.Add(siteMeter(journal.DatastoreRoom, "", fmt.Sprintf("vsan-%04d", i), journal.MiB, 100<<20, i<<14+step<<20))
			}
			if i%5 == 0 {
				site.Add(siteMeter(journal.Quota, fmt.Sprintf("team-%03d", i/5), journal.QuotaMemory, journal.MiB, 1<<20, i<<9+step<<14))
			}
		}
		site.Add(siteMeter(journal.Addresses, "", journal.LoadBalancer, journal.AddressUnit, 2000, 400*step))
		return site.Sorted()
	}
	return siteRun(nil, at(0), at(1), at(2), at(3), at(4))
}

// onSite is the vSphere page of a terminal of a size.
func onSite(t testing.TB, look paint.Options, width, height int, events []journal.Event, keys ...string) *Model {
	t.Helper()
	m, _ := opened(t, look, width, height, events)
	m.visit("vSphere")
	press(t, m, keys...)
	return m
}

func TestVsphereFrames(t *testing.T) {
	t.Parallel()
	for _, moment := range siteMoments(t) {
		for look, o := range looks {
			t.Run(moment.name+" "+look, func(t *testing.T) {
				t.Parallel()
				var all strings.Builder
				for _, size := range sizes {
					if look == "light" && size.width != 80 {
						continue
					}
					frame := onSite(t, o, size.width, size.height, moment.events).Screen()
					fits(t, frame, size.width, size.height)
					if look == "ascii" && strings.IndexFunc(frame, func(r rune) bool { return r > 0x7e }) >= 0 {
						t.Errorf("not only ASCII:\n%s", frame)
					}
					fmt.Fprintf(&all, "== %dx%d\n%s\n", size.width, size.height, frame)
				}
				golden(t, "vsphere-"+moment.name+"-"+look, all.String())
			})
		}
	}
}

func TestVspherePageFitsAnyTerminal(t *testing.T) {
	t.Parallel()
	for _, moment := range siteMoments(t) {
		for _, o := range looks {
			for _, size := range []struct{ width, height int }{{20, 5}, {1, 1}, {30, 8}, {41, 17}, {250, 70}} {
				for _, keys := range [][]string{nil, {"enter"}, {"G", "s", "k"}, {"!"}} {
					fits(t, onSite(t, o, size.width, size.height, moment.events, keys...).Screen(), size.width, size.height)
				}
			}
		}
	}
}

// body is the page without head and foot, the blanks at the ends of lines aside.
func body(m *Model) string {
	lines := strings.Split(ansi.Strip(m.Screen()), "\n")
	return strings.Join(lines[headLines:len(lines)-m.footLines()], "\n")
}

func TestVsphereKeys(t *testing.T) {
	t.Parallel()
	failed := siteRun(nil, siteAt(3, 2), siteAt(5, 4))
	tests := map[string]struct {
		keys []string
		says []string // in this order
		not  string
	}{
		"what is full is on top":         {nil, []string{"✗ 1 full", "Addresses\n", "✗load balancer", "4/4", "100%", "full", "Hosts, memory zone-a"}, ""},
		"and is explained":               {nil, []string{"Addresses: load balancer", "now 4/4 (100%)", "most so far 4 (100%) at 0:30", "give the load balancer another range"}, ""},
		"by name":                        {[]string{"s"}, []string{"Hosts, memory zone-a", "esx-a1", "esx-a2"}, ""},
		"the fullest first":              {[]string{"j"}, []string{"Hosts, memory zone-a", "esx-a2", "esx-a1"}, ""},
		"only problems":                  {[]string{"!"}, []string{"✗load balancer"}, "Hosts"},
		"a filter":                       {[]string{"/", "g", "o", "l", "d", "enter"}, []string{"Quota of payments", "storage vks-gold"}, "Hosts"},
		"a filter that finds nothing":    {[]string{"/", "x", "y", "enter"}, []string{"no meter has xy", "esc takes the filter away"}, "Hosts"},
		"the head of the first is seen":  {[]string{"G", "g"}, []string{"Addresses\n", ">✗load balancer"}, ""},
		"the last":                       {[]string{"G"}, []string{"Addresses of VPC payments", "> private addresses"}, ""},
		"without limit the figure alone": {[]string{"/", "c", "p", "u", "enter", "G"}, []string{"cpu", "40 GHz", "no limit"}, "cpu  █"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := body(onSite(t, paint.Options{}, 140, 40, failed, tt.keys...))
			rest := got
			for _, want := range tt.says {
				_, after, found := strings.Cut(rest, want)
				if !found {
					t.Fatalf("%q is not there, or not in its place:\n%s", want, got)
				}
				rest = after
			}
			if tt.not != "" && strings.Contains(got, tt.not) {
				t.Errorf("%q is there:\n%s", tt.not, got)
			}
		})
	}
}

// Who looks at a meter keeps it under the cursor, wherever it moves.
func TestVsphereCursorStaysOnItsMeter(t *testing.T) {
	t.Parallel()
	m, stream := opened(t, paint.Options{}, 80, 24, siteRun(nil, siteAt(2, 1)))
	m.visit("vSphere")
	m.Update(look{})
	first, _ := m.pages[m.shown].copies(&m.scene)
	stream.Event(journal.Event{T: 15_000, Usage: &journal.Usage{Meters: siteAt(2, 4)}})
	m.Update(look{})
	if full, _ := m.pages[m.shown].copies(&m.scene); full == first || full != journal.LoadBalancer {
		t.Errorf("before the user selects anything, the cursor is on %q and then %q, want what is full", first, full)
	}
	stream.Event(journal.Event{T: 20_000, Usage: &journal.Usage{Meters: siteAt(2, 1)}})
	press(t, m, "j", "j", "j")
	before, _ := m.pages[m.shown].copies(&m.scene)
	stream.Event(journal.Event{T: 30_000, Usage: &journal.Usage{Meters: siteAt(5, 4)}})
	m.Update(look{})
	if after, _ := m.pages[m.shown].copies(&m.scene); before != after || after == "" {
		t.Errorf("the cursor was on %q and is on %q", before, after)
	}
}

func TestVsphereCopies(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		meter         journal.Meter
		name, command string
	}{
		"a host":            {siteMeter(journal.HostCPU, "z", "esx-1.lab", "MHz", 8, 1), "esx-1.lab", "govc host.info -host esx-1.lab"},
		"a datastore":       {siteMeter(journal.DatastoreRoom, "", "my store", "MiB", 8, 1), "my store", "govc datastore.info 'my store'"},
		"a hostile name":    {siteMeter(journal.DatastoreRoom, "", "a'; rm -rf \x1b[2J$HOME #", "MiB", 8, 1), "a'; rm -rf $HOME #", `govc datastore.info 'a'\''; rm -rf $HOME #'`},
		"memory quota":      {siteMeter(journal.Quota, "team-a", journal.QuotaMemory, "MiB", 8, 1), "team-a memory", "govc namespace.info team-a"},
		"storage quota":     {siteMeter(journal.Quota, "team-a", "storage gold", "MiB", 8, 1), "team-a storage gold", "kubectl -n team-a get storagepolicyquotas.cns.vmware.com -o yaml"},
		"load balancer":     {siteMeter(journal.Addresses, "", journal.LoadBalancer, "addresses", 8, 1), "load balancer", "kubectl get services --all-namespaces"},
		"of a later vksync": {siteMeter("gpu", "", "a40", "", 8, 1), "a40", ""},
	}
	for what, tt := range tests {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			m := onSite(t, paint.Options{}, 80, 24, siteRun(nil, []journal.Meter{tt.meter}))
			if name, command := m.pages[m.shown].copies(&m.scene); name != tt.name || command != tt.command {
				t.Errorf("got %q and %q, want %q and %q", name, command, tt.name, tt.command)
			}
		})
	}
}

func TestMetersInWords(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		unit           string
		capacity, used int64
		amount, share  string
	}{
		"half a host":            {"MiB", 196608, 98304, "96/192 GiB", "50%"},
		"a little":               {"MiB", 196608, 4096 + 512, "4.5/192 GiB", "2%"},
		"next to nothing":        {"MiB", 196608, 10, "<0.1/192 GiB", "<1%"},
		"nothing":                {"MiB", 196608, 0, "0/192 GiB", "0%"},
		"a small quota":          {"MiB", 512, 500, "500/512 MiB", "98%"},
		"a large datastore":      {"MiB", 100 << 20, 33 << 20, "33/100 TiB", "33%"},
		"just below terabytes":   {"MiB", 9 << 20, 1 << 20, "1,024/9,216 GiB", "11%"},
		"clock rates":            {"MHz", 41600, 10400, "10.4/41.6 GHz", "25%"},
		"addresses":              {"addresses", 57344, 12, "12/57,344", "<1%"},
		"without limit":          {"MiB", 0, 12288, "12 GiB", ""},
		"far beyond":             {"MiB", 1, 100, "100/1 MiB", ">999%"},
		"more than there is":     {"MiB", 2048, 3072, "3/2 GiB", "150%"},
		"a unit nobody knows":    {"GPU\x1b[31m", 4, 1, "1/4 GPU", "25%"},
		"as much as a number is": {"MiB", math.MaxInt64, math.MaxInt64, "8,796,093,022,208/8,796,093,022,208 TiB", "100%"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m := siteMeter(journal.Quota, "n", "memory", tt.unit, tt.capacity, tt.used)
			if amount, share := amountOf(m), percentOf(m); amount != tt.amount || share != tt.share {
				t.Errorf("got %q, %q, want %q, %q", amount, share, tt.amount, tt.share)
			}
		})
	}
}

func TestGauge(t *testing.T) {
	t.Parallel()
	forecast := func(used int64) *journal.Meter { return new(siteMeter(journal.Quota, "n", "memory", "MiB", 100, used)) }
	tests := map[string]struct {
		used, peak  int64
		forecast    *journal.Meter
		utf8, ascii string
	}{
		"nothing":                        {0, 0, nil, "░░░░░░░░░░", ".........."},
		"a trace shows":                  {1, 1, nil, "▌░░░░░░░░░", "#........."},
		"half a cell":                    {35, 35, nil, "███▌░░░░░░", "####......"},
		"not all before it is":           {99, 99, nil, "█████████▌", "##########"},
		"all":                            {100, 100, nil, "██████████", "##########"},
		"more than all":                  {300, 300, nil, "██████████", "##########"},
		"the most so far":                {30, 60, nil, "███░░┃░░░░", "###..|...."},
		"the most so far is more":        {30, 160, nil, "███░░░░░░┃", "###......|"},
		"the forecast":                   {30, 60, forecast(90), "███░░┃░░◆░", "###..|..>."},
		"the forecast is behind":         {50, 50, forecast(20), "█◆███░░░░░", "#>###....."},
		"the forecast expects more":      {50, 50, forecast(200), "█████░░░░◆", "#####....>"},
		"the forecast expects no use":    {50, 50, forecast(0), "█████░░░░░", "#####....."},
		"the forecast is at the present": {50, 50, forecast(50), "████◆░░░░░", "####>....."},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e := meterEntry{MeterState: journal.MeterState{
				Meter: siteMeter(journal.Quota, "n", "memory", "MiB", 100, tt.used), Told: true, Peak: tt.peak, Forecast: tt.forecast,
			}}
			for ascii, want := range map[bool]string{false: tt.utf8, true: tt.ascii} {
				s := scene{Theme: paint.New(paint.Options{ASCII: ascii})}
				if got := s.gauge(e, 10); got != want {
					t.Errorf("ASCII %v: got %q, want %q", ascii, got, want)
				}
			}
		})
	}
}

func TestSpark(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		history []int64
		width   int
		want    string
	}{
		"nothing":            {nil, 4, "    "},
		"no room":            {[]int64{1, 2}, 0, ""},
		"zero":               {[]int64{0, 0}, 4, "  ▁▁"},
		"the present right":  {[]int64{1, 4, 8}, 5, "  ▃▅█"},
		"a trace is seen":    {[]int64{1, 1000}, 2, "▂█"},
		"the most of a cell": {[]int64{0, 9, 0, 0, 3, 0}, 3, "█▁▄"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := scene{Theme: paint.New(paint.Options{})}
			if got := s.spark(tt.history, tt.width); got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

func FuzzVspherePage(f *testing.F) {
	f.Add("host-memory", "zone\x1b[2J", "esx\n", "MiB", int64(8), int64(4), int64(6), 80, 24)
	f.Add("x", "", "日本", "", int64(-1), int64(math.MaxInt64), int64(math.MinInt64), 20, 5)
	f.Fuzz(func(t *testing.T, kind, group, name, unit string, capacity, used, peak int64, width, height int) {
		if width < 1 || width > 300 || height < 1 || height > 100 {
			return
		}
		a := siteMeter(journal.MeterKind(kind), group, name, unit, capacity, used)
		b := a
		b.Name, b.Used = name+"2", peak
		m := onSite(t, paint.Options{}, width, height, siteRun([]journal.Meter{b}, []journal.Meter{a}, []journal.Meter{a, b}), "enter", "j")
		fits(t, m.Screen(), width, height)
		if strings.ContainsRune(strings.ReplaceAll(m.Screen(), "\n", ""), 0x1b) {
			t.Errorf("a control code is on the screen: %q", m.Screen())
		}
	})
}

// Looking at a site of a thousand hosts, a key and the frame that follows.
func BenchmarkVspherePage(b *testing.B) {
	m := onSite(b, paint.Options{Color: true}, 140, 40, largeSite(1000))
	b.Run("key", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			m.Update(keyOf("j"))
			_ = m.Screen()
		}
	})
	b.Run("change", func(b *testing.B) {
		b.ReportAllocs()
		for i := 0; b.Loop(); i++ {
			m.board.Stream("run").Event(usage(i))
			m.Update(look{})
			_ = m.Screen()
		}
	})
}

// usage is one meter that changes.
func usage(i int) journal.Event {
	return journal.Event{T: int64(200_000 + 30_000*i), Usage: &journal.Usage{Meters: []journal.Meter{
		siteMeter(journal.Addresses, "", journal.LoadBalancer, journal.AddressUnit, 2000, int64(i%2000)),
	}}}
}

// A site that is only being read has nothing to do with old journals.
func TestVspherePageWhileTheSiteIsRead(t *testing.T) {
	t.Parallel()
	live := siteRun(nil, nil)
	live[0].Begin.Simulated = false
	m, stream := opened(t, paint.Options{}, 80, 24, live)
	stream.Connect(Connection{State: Following, Live: true})
	m.visit("vSphere")
	if got := m.Screen(); !strings.Contains(got, "reading hosts, datastores, quotas and addresses") || strings.Contains(got, "older") {
		t.Errorf("it says:\n%s", got)
	}
	stream.Event(journal.Event{Seq: 1, T: 1000, Usage: &journal.Usage{Meters: siteAt(5, 4)}})
	m.Update(look{})
	if got := m.Screen(); !strings.Contains(got, "✗ 1 full") {
		t.Errorf("once it is read, it says:\n%s", got)
	}
}
