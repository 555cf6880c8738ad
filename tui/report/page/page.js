// Filters, sorts and folds. The page is whole without it. What is chosen is in the
// part of the address behind "#", so that it can be kept and passed on:
// #state=blocked&q=shop.
(function () {
  "use strict";
  var form = document.getElementById("filter");
  var rows = document.getElementById("rows");
  var sections = document.getElementById("sections");
  var filters = ["state", "verb", "ns", "phase"];
  var fields = ["q", "sort"].concat(filters);

  var goals = Array.prototype.map.call(sections.children, function (section) {
    return { section: section, data: section.dataset, text: "" };
  });
  Array.prototype.forEach.call(rows.children, function (row, i) { goals[i].row = row; });

  function value(name) { return form.elements.namedItem(name).value; }

  // chosen is what the address asks for; null when it only names a place of the page.
  function chosen() {
    var hash = location.hash.slice(1);
    return hash === "" || hash.indexOf("=") >= 0 ? new URLSearchParams(hash) : null;
  }

  function fits(g, q, words) {
    if (filters.some(function (name) { return q[name] && g.data[name] !== q[name]; })) return false;
    if (words.length && !g.text) g.text = g.section.textContent.toLowerCase();
    return words.every(function (word) { return g.text.indexOf(word) >= 0; });
  }

  var orders = {
    "": function (a, b) { return a.data.goal - b.data.goal; },
    state: function (a, b) { return a.data.rank - b.data.rank || b.data.end - a.data.end; },
    name: function (a, b) { return a.data.name < b.data.name ? -1 : a.data.name > b.data.name ? 1 : 0; },
    start: function (a, b) { return a.data.start - b.data.start; },
    end: function (a, b) { return a.data.end - b.data.end; },
    took: function (a, b) { return b.data.took - a.data.took; }
  };
  var order = "";

  function apply() {
    var q = {}, shown = 0;
    fields.forEach(function (name) { q[name] = value(name); });
    var words = q.q.toLowerCase().split(/\s+/).filter(Boolean);
    if (q.sort !== order) {
      order = q.sort;
      var by = orders[order];
      var some = goals.slice().sort(function (a, b) { return by(a, b) || a.data.goal - b.data.goal; });
      var tr = document.createDocumentFragment(), details = document.createDocumentFragment();
      some.forEach(function (g) { tr.appendChild(g.row); details.appendChild(g.section); });
      rows.appendChild(tr);
      sections.appendChild(details);
    }
    goals.forEach(function (g) {
      var show = fits(g, q, words);
      shown += show;
      g.row.toggleAttribute("data-hidden", !show);
      g.section.toggleAttribute("data-hidden", !show);
    });
    document.getElementById("shown").textContent = shown + " of " + goals.length + " shown";
  }

  // read takes the choice from the address, or shows the place that it names.
  function read() {
    var asked = chosen();
    if (asked) {
      fields.forEach(function (name) {
        var field = form.elements.namedItem(name);
        field.value = asked.get(name) || "";
        if (field.selectedIndex === -1) field.selectedIndex = 0; // a value that is not one of the list
      });
    } else {
      var at = document.getElementById(location.hash.slice(1));
      if (at && at.matches("details")) {
        at.open = true;
        at.scrollIntoView();
      }
    }
    apply();
  }

  function write() {
    var kept = new URLSearchParams();
    fields.forEach(function (name) { if (value(name)) kept.set(name, value(name)); });
    history.replaceState(null, "", "#" + kept);
    apply();
  }

  function fold(open) {
    Array.prototype.forEach.call(document.querySelectorAll("details:not([data-hidden])"), function (d) { d.open = open; });
  }

  form.hidden = false;
  form.addEventListener("input", write);
  form.addEventListener("submit", function (e) { e.preventDefault(); });
  form.addEventListener("reset", function () { setTimeout(write); });
  document.getElementById("unfold").addEventListener("click", function () { fold(true); });
  document.getElementById("fold").addEventListener("click", function () { fold(false); });
  addEventListener("hashchange", read);
  read();
})();
