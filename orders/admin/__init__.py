"""The order desk in the Wagtail admin, registered by `orders.wagtail_hooks`.

* `base` - lists and facts without any form, and buttons that do one thing by POST
* `order_list`, `order_page` - finding an order, and everything known about one
* `refund_form`, `refund_views` - a refund: asked for, confirmed in a sentence, then done
* `attention`, `events`, `mail` - what needs a person, Stripe's events, and letters
* `discounts`, `discount_form` - discount codes, made by editors; `choosers` - any number of rows in a form
* `webhooks`, `webhook_deliveries` - who is told of events, and how the telling went
* `viewsets` - all of it put together below one menu entry
* `log` - who pressed which button, in Wagtail's own log

Views translate; the rules live in `orders.services`.
"""
