// What the page says, in Russian and in English: `say("key")`. The address may ask for one by ?lang=.
"use strict";

const WORDS = {
  title: ["Телефон клиента · песочница Hubline", "The customer's phone · Hubline sandbox"],
  phone: ["Телефон клиента", "The customer's phone"],
  about: [
    "Сюда приходят сообщения, которые отправляет Hubline. Это песочница: живым людям ничего не уходит.",
    "Messages sent by Hubline land here. This is a sandbox: nobody real gets them.",
  ],
  clear: ["Очистить", "Clear"],
  chats: ["Чаты", "Chats"],
  chat: ["Переписка", "Conversation"],
  vk: ["ВКонтакте", "VK"],
  nothing: ["Пока пусто. Отправьте первое сообщение из сценария.", "Nothing yet. Send the first message from a scenario."],
  no_text: ["(без текста)", "(no text)"],
  arrived: ["доставлено", "delivered"],
  arrived_unheard: ["доставлено, но ответ не дошёл", "delivered, but the answer got lost"],
  refused: ["отказ: ", "refused: "],
  silent: ["Песочница не отвечает.", "The sandbox does not answer."],
  trouble: ["Сломать мессенджер", "Break a messenger"],
  trouble_about: [
    "Посмотрите, что сделает Hubline, когда мессенджер ведёт себя плохо.",
    "See what Hubline does when a messenger misbehaves.",
  ],
  which: ["Мессенджер", "Messenger"],
  how_long: ["Надолго ли", "For how long"],
  once: ["следующее сообщение", "the next message"],
  five: ["следующие пять", "the next five"],
  forever: ["пока не отменю", "until I stop it"],
  logout: ["Разлогинить линию", "Log the line out"],
  login: ["Вернуть линию", "Bring the line back"],
  slow_down: ["Просить подождать (429)", "Ask to slow down (429)"],
  broken: ["Ошибка сервера (500)", "Server error (500)"],
  slow: ["Отвечать 8 секунд", "Take 8 seconds to answer"],
  hangup: ["Принять и оборвать связь", "Accept, then hang up"],
  refuse: ["Отказывать этому номеру", "Refuse this number"],
  calm: ["Всё починить", "Fix everything"],
  playing: ["Сейчас: ", "Now: "],
  logged_out: ["линия разлогинена", "logged out"],
  connect: ["Чтобы подключить ещё одну линию к песочнице:", "To connect one more line to the sandbox:"],
  accounts: [
    "Telegram – токен 1:demo, адрес API {0}/telegram; WhatsApp – токен EAA-demo, номер телефона (id) 1122, адрес API {0}/graph; "
      + "ВКонтакте – токен vk1.demo, адрес API {0}/vk; MAX – токен f9LH-demo, адрес API {0}/max; "
      + "SMS (SMSC) – API-ключ demo, адрес API {0}/smsc; SMS (SMS.ru) – api_id demo, адрес API {0}/smsru.",
    "Telegram: token 1:demo, API address {0}/telegram; WhatsApp: token EAA-demo, phone number id 1122, API address {0}/graph; "
      + "VK: token vk1.demo, API address {0}/vk; MAX: token f9LH-demo, API address {0}/max; "
      + "SMS (SMSC): API key demo, API address {0}/smsc; SMS (SMS.ru): api_id demo, API address {0}/smsru.",
  ],
};

const asked = new URLSearchParams(location.search).get("lang") || navigator.language;
const english = !asked.startsWith("ru");

function say(key) {
  return WORDS[key][english ? 1 : 0];
}

document.documentElement.lang = english ? "en" : "ru";
for (const one of document.querySelectorAll("[data-say]")) one.textContent = say(one.dataset.say);
for (const one of document.querySelectorAll("[data-label]")) one.setAttribute("aria-label", say(one.dataset.label));
const other = document.getElementById("other");
other.textContent = english ? "Русский" : "English";
other.lang = english ? "ru" : "en";
other.href = english ? "?lang=ru" : "?lang=en";
