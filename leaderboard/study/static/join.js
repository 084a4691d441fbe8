const button = document.getElementById("join");
const status = document.getElementById("status");

button.addEventListener("click", async () => {
  button.disabled = true;
  status.textContent = "";
  try {
    const options = { method: "POST", headers: { "x-study": "1" }, cache: "no-store", credentials: "omit" };
    const response = await fetch(location.pathname, options);
    const answer = await response.json();
    if (answer.link) return location.replace(answer.link);
    status.textContent = answer.error;
  } catch {
    status.textContent = "The server cannot be reached. Try again.";
    button.disabled = false;
    button.focus();
  }
});
button.focus();
