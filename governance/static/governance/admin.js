// The library's boxes that search while one types are called by what was chosen alone, and by nothing before that.
// They are made by functions that jQuery calls when the page is there; this one is called after them.
window.django?.jQuery?.(() => {
  for (const box of document.querySelectorAll('.select2-selection')) {
    const label = box.closest('.select2').previousElementSibling?.labels?.[0]
    if (!label) continue
    label.id ||= `${label.htmlFor}_label`
    const chosen = document.getElementById(box.getAttribute('aria-labelledby'))
    box.setAttribute('aria-labelledby', `${label.id} ${chosen.id}`)
    chosen.setAttribute('aria-labelledby', label.id)
  }
})
