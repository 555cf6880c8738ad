//go:build browser

package report

import (
	"bytes"
	"context"
	"fmt"
	"image"
	"image/color"
	_ "image/png"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"
)

// These tests look at pages in a real browser, Debian's Chromium without a window.
// They are behind a build tag because they need it; make report-test runs them.

// A browser runs pages and notes what they ask the network for: every request
// goes to a proxy that answers none.
type browser struct {
	program string
	proxy   *httptest.Server

	mu    sync.Mutex
	asked []string
}

func newBrowser(t *testing.T) *browser {
	t.Helper()
	b := &browser{}
	for _, name := range []string{"chromium", "google-chrome"} {
		if path, err := exec.LookPath(name); err == nil {
			b.program = path
			break
		}
	}
	if b.program == "" {
		t.Fatal("no chromium is installed, and pages are only known to work in a browser: apt-get install chromium")
	}
	b.proxy = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		b.mu.Lock()
		defer b.mu.Unlock()
		if host := r.URL.Hostname(); !strings.HasSuffix(host, ".google.com") && !strings.HasSuffix(host, ".googleapis.com") { // the browser's own
			b.asked = append(b.asked, r.Method+" "+r.RequestURI)
		}
		w.WriteHeader(http.StatusForbidden)
	}))
	t.Cleanup(b.proxy.Close)
	return b
}

// requests are what was asked of the network since the last call.
func (b *browser) requests() []string {
	b.mu.Lock()
	defer b.mu.Unlock()
	asked := b.asked
	b.asked = nil
	return asked
}

// run opens a file with flags, and returns what the browser prints and what pages
// wrote to their console.
func (b *browser) run(t *testing.T, url string, flags ...string) (out string, console []string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	flags = append(flags,
		"--headless=new", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--no-first-run", "--user-data-dir="+t.TempDir(),
		"--disable-background-networking", "--disable-component-update", "--disable-sync", "--disable-default-apps", "--metrics-recording-only",
		"--proxy-server="+b.proxy.URL, "--proxy-bypass-list=<-loopback>", "--enable-logging=stderr", url)
	var stdout, stderr bytes.Buffer
	c := exec.CommandContext(ctx, b.program, flags...)
	c.Stdout, c.Stderr = &stdout, &stderr
	if err := c.Run(); err != nil {
		t.Fatalf("%s: %v\n%s", b.program, err, stderr.String())
	}
	for _, line := range strings.Split(stderr.String(), "\n") {
		if strings.Contains(line, "CONSOLE") {
			console = append(console, line)
		}
	}
	return stdout.String(), console
}

// open is the document that a browser makes of a page; after is what comes behind
// its address. A page that writes to the console or asks the network fails.
func (b *browser) open(t *testing.T, page, after string, flags ...string) string {
	t.Helper()
	dom, console := b.run(t, save(t, page)+after, append(flags, "--dump-dom")...)
	if len(console) > 0 {
		t.Errorf("the page writes to the console:\n%s", strings.Join(console, "\n"))
	}
	if asked := b.requests(); len(asked) > 0 {
		t.Errorf("the page asks the network for %q", asked)
	}
	return dom
}

func save(t *testing.T, page string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "report.html")
	if err := os.WriteFile(path, []byte(page), 0o600); err != nil {
		t.Fatal(err)
	}
	return "file://" + path
}

var (
	row     = regexp.MustCompile(`<tr data-goal="\d+"(| data-hidden="")><th scope="row"><a href="#g\d+">([^<]*)</a>`)
	section = regexp.MustCompile(`<details class="goal"[^>]*>`)
	counted = regexp.MustCompile(`<output id="shown"[^>]*>([^<]*)</output>`)
)

// visible are the names of the rows that are shown, in their order.
func visible(t *testing.T, dom string) []string {
	t.Helper()
	var names []string
	hidden := 0
	for _, m := range row.FindAllStringSubmatch(dom, -1) {
		if m[1] == "" {
			names = append(names, m[2])
		} else {
			hidden++
		}
	}
	folded := 0
	for _, tag := range section.FindAllString(dom, -1) {
		if strings.Contains(tag, "data-hidden") {
			folded++
		}
	}
	if folded != hidden {
		t.Errorf("%d rows and %d sections are hidden", hidden, folded)
	}
	return names
}

func shown(dom string) string {
	if m := counted.FindStringSubmatch(dom); m != nil {
		return m[1]
	}
	return ""
}

func TestBrowserShowsEveryExample(t *testing.T) {
	b := newBrowser(t)
	for _, path := range examples(t) {
		events := eventsOf(t, path)
		dom := b.open(t, written(t, events, Options{Title: "a run"}), "")
		n := len(events[0].Begin.Goals)
		if got := len(visible(t, dom)); got != n {
			t.Errorf("%s: %d rows, want %d", path, got, n)
		}
		if want := fmt.Sprintf("%d of %d shown", n, n); shown(dom) != want {
			t.Errorf("%s: the script says %q, want %q", path, shown(dom), want)
		}
		if !strings.Contains(dom, "<title>a run: ") {
			t.Errorf("%s: the title is not there", path)
		}
	}
}

func TestBrowserFilters(t *testing.T) {
	b := newBrowser(t)
	page := written(t, rich(t), Options{})
	tests := map[string][]string{
		"#state=blocked":                 {"web/shop-us-east"},
		"#state=failed":                  {"data-platform/kafka"},
		"#verb=create&state=failed":      {"data-platform/kafka"},
		"#q=shop&ns=web":                 {"web/shop-eu-west", "web/shop-us-east"},
		"#q=SUBNETPORT":                  {"data-platform/kafka"},
		"#q=pRod+forbidden":              nil,
		"#q=shop%20east":                 {"web/shop-us-east"},
		"#phase=2":                       {"web/shop-us-east"},
		"#ns=payments&sort=name":         {"payments", "payments/prod", "payments/staging"},
		"#ns=payments&sort=took":         {"payments/prod", "payments/staging", "payments"},
		"#ns=data-platform&sort=state":   {"data-platform/kafka", "data-platform/spark-batch-workers", "data-platform"},
		"#state=nothing-of-the-kind&q=u": {}, // a value that is none is no filter
		"#q=nowhere-at-all":              nil,
	}
	for hash, want := range tests {
		dom := b.open(t, page, hash)
		got := visible(t, dom)
		if hash == "#state=nothing-of-the-kind&q=u" {
			if len(got) < 5 {
				t.Errorf("%s shows %q", hash, got)
			}
			continue
		}
		if fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("%s shows %q, want %q", hash, got, want)
		}
		if words := fmt.Sprintf("%d of 10 shown", len(want)); shown(dom) != words {
			t.Errorf("%s says %q, want %q", hash, shown(dom), words)
		}
	}
}

// A link to a part that is folded opens it.
func TestBrowserOpensWhatALinkNames(t *testing.T) {
	b := newBrowser(t)
	page := written(t, rich(t), Options{})
	for _, id := range []string{"g3", "a1"} {
		tag := regexp.MustCompile(`<details[^>]* id="` + id + `"[^>]*>`)
		if before := tag.FindString(page); strings.Contains(before, " open") {
			t.Fatalf("%s is open from the start", before)
		}
		if after := tag.FindString(b.open(t, page, "#"+id)); !strings.Contains(after, " open") {
			t.Errorf("#%s leaves it folded: %s", id, after)
		}
	}
}

// Without its script a page has everything but the filter.
func TestBrowserWithoutScripts(t *testing.T) {
	b := newBrowser(t)
	page := written(t, rich(t), Options{})
	dom := b.open(t, page[:strings.Index(page, "<script>")]+page[strings.Index(page, "</script>"):], "#state=blocked")
	if got := len(visible(t, dom)); got != 10 {
		t.Errorf("%d rows, want 10", got)
	}
	if !regexp.MustCompile(`<form id="filter"[^>]* hidden`).MatchString(dom) || shown(dom) != "" {
		t.Error("the filter shows, and does nothing")
	}
}

func TestBrowserTakesForeignTextForText(t *testing.T) {
	b := newBrowser(t)
	events := rich(t)
	corruptAll(events)
	dom := b.open(t, written(t, events, Options{Title: evil}), "#q=<img onerror=alert(1)>&ns='\"><b>")
	for _, bad := range []string{"<img", "onerror=\"", "CANARY"} {
		if strings.Contains(dom, bad) {
			t.Errorf("the document has %s", bad)
		}
	}
	if got := len(visible(t, dom)); got != 10 {
		t.Errorf("%d rows have the text that is in all, want 10", got)
	}
}

// The tests above are only worth something when they can fail: what the page does
// not do is done here, and either the policy stops it or the browser tells of it.
func TestBrowserTellsOfWhatPagesMustNotDo(t *testing.T) {
	b := newBrowser(t)
	page := written(t, rich(t), Options{})
	for what, markup := range map[string]string{
		"a script":    `<script>document.title = "owned"</script>`,
		"a handler":   `<button onclick="1" autofocus onfocus="document.title = 'owned'">x</button>`,
		"an image":    `<img src="http://elsewhere.example/x.png">`,
		"a style":     `<p style="color: red">x</p>`,
		"a framework": `<script src="http://elsewhere.example/x.js"></script>`,
		"a font":      `<style>@font-face { font-family: x; src: url(http://elsewhere.example/x.woff) } body { font-family: x }</style>`,
	} {
		dom, console := b.run(t, save(t, strings.Replace(page, "</main>", markup+"</main>", 1)), "--dump-dom")
		if len(console) == 0 || !strings.Contains(strings.Join(console, " "), "Content Security Policy") {
			t.Errorf("%s: the policy does not complain: %q", what, console)
		}
		if strings.Contains(dom, "<title>owned") {
			t.Errorf("%s ran", what)
		}
		if asked := b.requests(); len(asked) > 0 {
			t.Errorf("%s asked the network for %q", what, asked)
		}
	}
	b.run(t, save(t, `<!DOCTYPE html><img src="http://elsewhere.example/x.png"><img src="http://127.0.0.1:8081/y.png">`), "--dump-dom")
	if asked := b.requests(); len(asked) < 2 {
		t.Errorf("a page without a policy asked for two pictures, and only %q was noticed", asked)
	}
}

// A page looks like something, light and dark, wide and narrow. The pictures are
// left below $REPORT_SHOTS where that is set, for people to look at.
func TestBrowserScreenshots(t *testing.T) {
	b := newBrowser(t)
	page := save(t, written(t, rich(t), Options{}))
	dir := os.Getenv("REPORT_SHOTS")
	if dir == "" {
		dir = t.TempDir()
	}
	seen := map[string]string{}
	for _, scheme := range []string{"light", "dark"} {
		for _, width := range []int{1280, 400} {
			// A window is at least some 500 pixels wide; a frame is as narrow as it should be.
			frame := fmt.Sprintf(`<!DOCTYPE html><body style="margin:0"><iframe style="border:0" width="%d" height="2400" src="%s"></iframe>`, width, page)
			wrapper := filepath.Join(t.TempDir(), "frame.html")
			if err := os.WriteFile(wrapper, []byte(frame), 0o600); err != nil {
				t.Fatal(err)
			}
			path := filepath.Join(dir, fmt.Sprintf("report-%s-%d.png", scheme, width))
			flags := []string{"--screenshot=" + path, fmt.Sprintf("--window-size=%d,2400", max(width, 500))}
			if scheme == "dark" {
				flags = append(flags, "--blink-settings=preferredColorScheme=0")
			}
			if _, console := b.run(t, "file://"+wrapper, flags...); len(console) > 0 {
				t.Errorf("the page writes to the console: %q", console)
			}
			back, colours := looks(t, path)
			if colours < 50 {
				t.Errorf("%s at %d: %d colours, want a page", scheme, width, colours)
			}
			if other, is := seen[back]; is && other != scheme {
				t.Errorf("%s and %s have the same background %s", scheme, other, back)
			}
			seen[back] = scheme
		}
	}
}

// looks are the colour of a picture's corner and how many colours it has.
func looks(t *testing.T, path string) (corner string, colours int) {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	picture, _, err := image.Decode(f)
	if err != nil {
		t.Fatal(err)
	}
	all := map[color.Color]bool{}
	for y := range picture.Bounds().Dy() {
		for x := range picture.Bounds().Dx() {
			all[picture.At(x, y)] = true
		}
	}
	return fmt.Sprint(picture.At(2, 2)), len(all)
}
