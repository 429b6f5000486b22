const fonts = 'system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", Arial, sans-serif';

Redoc.init(
  "/openapi.json",
  {
    disableSearch: true, // it would need a worker made of text
    sortRequiredPropsFirst: true,
    theme: {
      colors: { primary: { main: "#0b3a66" } },
      typography: {
        fontFamily: fonts,
        headings: { fontFamily: fonts },
        code: { fontFamily: 'ui-monospace, "Cascadia Mono", Consolas, "DejaVu Sans Mono", monospace' },
      },
    },
  },
  document.getElementById("reference"),
);
